/**
 * WebRTC without a network: connections find each other by their SDPs, and open once both have the
 * other's SDP and the certificates match the SDPs, as DTLS would ensure. Everything that a browser
 * decides by itself is left out.
 *
 * @module
 */
import { randomBytes } from "../../lib/e2e/suite.ts";
import { withGlobals } from "../support/fake_time.ts";
import { ownContext } from "../support/slow_crypto.ts";
import { FakeDataChannel } from "./fake_channel.ts";

/** A certificate with a random fingerprint. */
class FakeCertificate {
  readonly value = Array.from(
    randomBytes(32),
    (byte) => byte.toString(16).padStart(2, "0").toUpperCase(),
  ).join(":");

  getFingerprints() {
    return [{ algorithm: "sha-256", value: this.value }];
  }
}

function field(sdp: string, name: string): string {
  return new RegExp(`^a=${name}:(?:sha-256 )?(.*)$`, "m").exec(sdp)?.[1]?.trim() ?? "";
}

interface FakeSettings extends Pick<RTCConfiguration, "iceServers" | "iceTransportPolicy"> {
  readonly certificates: readonly FakeCertificate[];
}

/** Stands in for the global `RTCPeerConnection`. */
export class FakePeerConnection {
  static all: FakePeerConnection[] = [];
  static readonly #byName = new Map<string, FakePeerConnection>();
  /** How many candidates each one finds. */
  static candidates = 1;
  /** True: nothing reaches anybody, whatever the two send each other. */
  static blocked = false;

  connectionState: RTCPeerConnectionState = "new";
  onconnectionstatechange: (() => void) | null = null;
  onicecandidate: ((event: { candidate: { candidate: string } | null }) => void) | null = null;
  readonly channels: FakeDataChannel[] = [];
  /** True at the viewer's end. */
  remoteIsOffer = false;
  /** Candidates that were accepted. */
  readonly remoteCandidates: string[] = [];
  readonly #name = `u${FakePeerConnection.#byName.size}`;
  readonly #certificate: FakeCertificate;
  readonly #own = ownContext();
  #remote: string | null = null;
  #closed = false;

  /** The configuration it was made with, or was last given. */
  settings: FakeSettings;

  constructor(settings: FakeSettings) {
    this.settings = settings;
    this.#certificate = settings.certificates[0] ?? new FakeCertificate();
    FakePeerConnection.#byName.set(this.#name, this);
    FakePeerConnection.all.push(this);
  }

  static generateCertificate(): Promise<FakeCertificate> {
    return Promise.resolve(new FakeCertificate());
  }

  /** The control channel and the file channel. */
  get control(): FakeDataChannel {
    return this.#channel(0);
  }

  get files(): FakeDataChannel {
    return this.#channel(1);
  }

  get closed(): boolean {
    return this.#closed;
  }

  createDataChannel(_label: string, { id = 0 } = {}): FakeDataChannel {
    const channel = new FakeDataChannel();
    channel.readyState = "connecting";
    this.channels[id] = channel;
    return channel;
  }

  /** How often ICE was restarted at this end. */
  restarts = 0;

  #looks = 0;
  /** The engine's statistics of the candidate pair in use; by default, data keeps arriving. */
  pair: Readonly<Record<string, unknown>> = { id: "first" };
  /** The same for this end's address, and for the other one's. */
  ends: Readonly<Record<"own" | "other", object>> = { own: {}, other: {} };

  getStats(): Promise<Map<string, unknown>> {
    const { id } = this.pair;
    return Promise.resolve(
      new Map<string, unknown>([
        ["transport", { type: "transport", selectedCandidatePairId: id }],
        [String(id), {
          type: "candidate-pair",
          localCandidateId: "own",
          remoteCandidateId: "other",
          bytesReceived: this.#looks++,
          ...this.pair,
        }],
        ...Object.entries(this.ends),
      ]),
    );
  }

  setConfiguration(settings: FakeSettings): void {
    this.settings = settings;
  }

  createOffer({ iceRestart = false } = {}) {
    if (iceRestart) {
      this.restarts++;
      this.#remote = null;
    }
    return Promise.resolve({ type: "offer", sdp: this.#sdp() });
  }

  createAnswer() {
    return Promise.resolve({ type: "answer", sdp: this.#sdp() });
  }

  setLocalDescription(): Promise<void> {
    for (let i = 0; i < FakePeerConnection.candidates; i++) {
      const candidate = `candidate:${i} 1 udp 1 127.0.0.1 ${4_000 + i} typ host`;
      queueMicrotask(() => this.onicecandidate?.({ candidate: { candidate } }));
    }
    queueMicrotask(() => this.onicecandidate?.({ candidate: null }));
    this.#meet();
    return Promise.resolve();
  }

  setRemoteDescription({ type, sdp }: { type?: string; sdp: string }): Promise<void> {
    this.remoteIsOffer = type === "offer";
    const again = type === "offer" && this.channels[0]?.readyState === "open";
    if (this.#closed || (this.#remote !== null && !again)) {
      return Promise.reject(new DOMException("", "InvalidStateError"));
    }
    this.#remote = sdp;
    this.#meet();
    return Promise.resolve();
  }

  addIceCandidate({ candidate }: { candidate: string }): Promise<void> {
    if (candidate.includes("%")) return Promise.reject(new DOMException("", "OperationError"));
    this.remoteCandidates.push(candidate);
    return Promise.resolve();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.connectionState = "closed";
    for (const channel of this.channels) {
      channel.readyState = "closed";
      const { other } = channel;
      if (other !== null) setTimeout(() => other.close(), 0);
    }
  }

  /** The network gives the connection up. */
  fail(): void {
    this.connectionState = "failed";
    this.#own(() => this.onconnectionstatechange?.());
  }

  #channel(id: number): FakeDataChannel {
    const channel = this.channels[id];
    if (channel === undefined) throw new Error(`No channel ${id}`);
    return channel;
  }

  #sdp(): string {
    return [
      "v=0",
      "o=- 1 2 IN IP4 127.0.0.1",
      "s=-",
      "t=0 0",
      "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
      `a=ice-ufrag:${this.#name}`,
      `a=fingerprint:sha-256 ${this.#certificate.value}`,
      "",
    ].join("\r\n");
  }

  #meet(): void {
    const other = FakePeerConnection.#byName.get(field(this.#remote ?? "", "ice-ufrag"));
    if (other === undefined || other.closed || this.closed || FakePeerConnection.blocked) return;
    if (field(other.#remote ?? "", "ice-ufrag") !== this.#name) return;
    queueMicrotask(() => {
      const genuine = field(this.#remote ?? "", "fingerprint") === other.#certificate.value &&
        field(other.#remote ?? "", "fingerprint") === this.#certificate.value;
      if (!genuine) {
        for (const end of [this, other]) end.fail();
        return;
      }
      this.channels.forEach((channel, id) => {
        channel.other = other.#channel(id);
        other.#channel(id).other = channel;
      });
      for (const end of [this, other]) {
        if (end.closed) continue;
        end.connectionState = "connected";
        end.#own(() => end.onconnectionstatechange?.());
        for (const channel of end.channels) {
          if (channel.readyState === "connecting") channel.open();
        }
      }
    });
  }
}

/** Installs it in the global object. */
export function withFakeRtc(): Disposable {
  FakePeerConnection.all = [];
  FakePeerConnection.candidates = 1;
  FakePeerConnection.blocked = false;
  return withGlobals({ RTCPeerConnection: FakePeerConnection });
}
