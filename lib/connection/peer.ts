/**
 * Makes a bound connection out of verified keys: one RTCPeerConnection with this side's
 * certificate, two negotiated channels, sealed SDP and candidates. The binding MACs are verified
 * before anything else is read.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { type Bytes, concat } from "../protocol/bytes.ts";
import { HANDSHAKE } from "../protocol/handshake.ts";
import { BIND_TIMEOUT_MS } from "../protocol/limits.ts";
import { RECORD } from "../protocol/record.ts";
import type { IceServer } from "../protocol/signaling.ts";
import type { ConnectionKeys } from "../e2e/handshake.ts";
import { ProtocolError, take } from "../e2e/suite.ts";
import { type Pair, pairOf } from "./route.ts";
import { RtcTransport } from "./rtc_transport.ts";
import {
  checkSdp,
  decodeCandidate,
  encodeCandidate,
  parseFingerprint,
  sdpFingerprint,
} from "./sdp.ts";
import { toBytes } from "./secure_link.ts";
import { countCandidate, type Trace } from "./trace.ts";
import type { Lane } from "./transport.ts";

const BINDING_LENGTH = 1 + 32;

/**
 * Most messages that may be held while the binding is verified: 4 MiB, more than an honest queue
 * and one lost packet amount to.
 */
const MAX_HELD = 64;

/** This side's DTLS certificate and its SHA-256 fingerprint. */
export interface Identity {
  readonly certificate: RTCCertificate;
  /** 32 bytes. */
  readonly fingerprint: Bytes;
}

/** Makes a fresh ECDSA P-256 certificate. Throws if WebRTC is missing. */
export async function createIdentity(): Promise<Identity> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const certificate = await RTCPeerConnection.generateCertificate(algorithm);
  const listed = typeof certificate.getFingerprints === "function"
    ? certificate.getFingerprints().find((item) => item.algorithm?.toLowerCase() === "sha-256")
    : undefined;
  const fingerprint = listed?.value === undefined ? null : parseFingerprint(listed.value);
  return { certificate, fingerprint: fingerprint ?? await fingerprintFromSdp(certificate) };
}

/**
 * For browsers whose certificates lack `getFingerprints`: an offer made with the certificate
 * contains the fingerprint.
 */
async function fingerprintFromSdp(certificate: RTCCertificate): Promise<Bytes> {
  const pc = new RTCPeerConnection({ certificates: [certificate] });
  try {
    pc.createDataChannel("fingerprint");
    const { sdp } = await pc.createOffer();
    const fingerprint = sdpFingerprint(sdp ?? "");
    if (fingerprint === null) throw new TypeError("Cannot use certificate: no fingerprint");
    return fingerprint;
  } finally {
    pc.close();
  }
}

/** Settings of a {@linkcode Peer}. */
export interface PeerOptions {
  readonly identity: Identity;
  readonly keys: ConnectionKeys;
  readonly iceServers: readonly IceServer[];
  /** Hides this side's address: only TURN relays are used. */
  readonly relayOnly?: boolean;
  /** Longest message that may be held while the binding is verified; default: that of a record. */
  readonly longest?: number;
  /** Diagnostics, filled in while connecting. */
  readonly trace?: Trace;
  /** Sends a sealed message to the peer, in order. */
  readonly send: (message: Bytes) => void;
  /** Called once, when both bindings are verified. */
  readonly onBound: (transport: RtcTransport) => void;
  /** A candidate was found after the connection was bound, as text. */
  readonly onCandidate?: (text: string) => void;
  /** Called once instead: no route was found, or the protocol was broken. */
  readonly onFailed: (why: "network" | "protocol") => void;
}

/** One attempt to connect. */
export class Peer {
  readonly #options: PeerOptions;
  readonly #pc: RTCPeerConnection;
  readonly #control: RTCDataChannel;
  readonly #files: RTCDataChannel;
  #bindingSeen = false;
  #bound = false;
  #over = false;
  /** Messages held while the binding is verified, which takes a few milliseconds. */
  #held: { lane: Lane; data: unknown }[] = [];
  #sending: Promise<void> = Promise.resolve();
  #bindTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: PeerOptions) {
    this.#options = options;
    this.#pc = new RTCPeerConnection(this.#configuration(options.iceServers));
    this.#control = this.#channel("control", 0);
    this.#files = this.#channel("files", 1);
    this.#control.onopen = () => this.#open();
    this.#control.onmessage = (event) => this.#receiveControl(event.data);
    this.#files.onmessage = (event) => this.#hold("files", event.data);
    this.#pc.onconnectionstatechange = () => {
      if (this.#pc.connectionState === "failed") this.#fail("network");
    };
    const { trace } = options;
    this.#pc.oniceconnectionstatechange = () => {
      if (trace !== undefined) trace.ice = this.#pc.iceConnectionState;
    };
    this.#pc.onicecandidateerror = ({ errorCode }) => {
      if (trace !== undefined) trace.iceErrors[errorCode] = (trace.iceErrors[errorCode] ?? 0) + 1;
    };
    this.#pc.onicecandidate = ({ candidate }) => {
      if (trace !== undefined) countCandidate(trace.own, candidate?.candidate ?? "");
      const text = encodeCandidate(candidate, options.relayOnly);
      if (text === null) return;
      if (this.#bound) return options.onCandidate?.(text);
      this.#enqueue(options.keys.signalSealer.seal(HANDSHAKE.candidate, text));
    };
  }

  /** Sender: makes the offer; `confirm` seals it into M4. */
  async offer(confirm: (sdp: string) => Promise<Bytes>): Promise<void> {
    const { sdp } = await this.#pc.createOffer();
    // Sealed before candidates can be gathered: M4 has to have the first sequence number.
    this.#enqueue(confirm(sdp ?? ""));
    await this.#pc.setLocalDescription({ type: "offer", sdp: sdp ?? "" });
  }

  /**
   * Viewer: takes the offer of M4, sends M5. Throws {@linkcode ProtocolError} if the SDP does not
   * match the handshake.
   */
  async answer(offer: string): Promise<void> {
    checkSdp(offer, this.#options.keys.peerFingerprint);
    await this.#setRemote({ type: "offer", sdp: offer });
    const { sdp } = await this.#pc.createAnswer();
    this.#enqueue(this.#options.keys.signalSealer.seal(HANDSHAKE.answer, sdp ?? ""));
    await this.#pc.setLocalDescription({ type: "answer", sdp: sdp ?? "" });
  }

  /**
   * Takes M5 (sender), which is empty if the peer has no WebRTC, or M6 (both). Throws
   * {@linkcode ProtocolError}.
   */
  async receive(message: Bytes): Promise<void> {
    const { keys } = this.#options;
    const type = message[0];
    const isAnswer = type === HANDSHAKE.answer && keys.role === "S";
    if (!isAnswer && type !== HANDSHAKE.candidate) throw new ProtocolError();
    const text = await keys.signalOpener.open(message);
    if (!isAnswer) return await this.take(text);
    if (text === "") return this.#fail("network");
    await this.accept(text);
  }

  /** Sender: restarts ICE with `servers`; the channels stay. Returns the offer's SDP. */
  async restart(servers: readonly IceServer[]): Promise<string> {
    this.#pc.setConfiguration(this.#configuration(servers));
    const { sdp } = await this.#pc.createOffer({ iceRestart: true });
    await this.#pc.setLocalDescription({ type: "offer", sdp: sdp ?? "" });
    return sdp ?? "";
  }

  /** Viewer: follows an ICE restart. Returns the answer's SDP. Throws {@linkcode ProtocolError}. */
  async follow(offer: string, servers: readonly IceServer[]): Promise<string> {
    checkSdp(offer, this.#options.keys.peerFingerprint);
    this.#pc.setConfiguration(this.#configuration(servers));
    await this.#setRemote({ type: "offer", sdp: offer });
    const { sdp } = await this.#pc.createAnswer();
    await this.#pc.setLocalDescription({ type: "answer", sdp: sdp ?? "" });
    return sdp ?? "";
  }

  /** Sender: takes an answer's SDP. Throws {@linkcode ProtocolError}. */
  async accept(answer: string): Promise<void> {
    checkSdp(answer, this.#options.keys.peerFingerprint);
    await this.#setRemote({ type: "answer", sdp: answer });
  }

  /**
   * Takes a candidate of the peer. Throws {@linkcode ProtocolError} if `text` is not a candidate.
   */
  async take(text: string): Promise<void> {
    const candidate = decodeCandidate(text);
    if (candidate === null) return;
    const { trace } = this.#options;
    if (trace !== undefined) countCandidate(trace.other, text);
    try {
      await this.#pc.addIceCandidate(candidate);
    } catch {
      // A candidate that this browser can't use (IPv6 zone, a newer type) is no reason to give up
      // the others.
    }
  }

  /** The candidate pair in use. */
  async pair(): Promise<Pair | null> {
    const pair = await pairOf(this.#pc);
    const { trace } = this.#options;
    if (trace !== undefined && pair !== null) trace.relayProtocol = pair.relayProtocol;
    return pair;
  }

  /**
   * Sends an empty message. The side that does not choose the candidate pair switches to a new pair
   * as soon as something arrives on it. Without the message it would switch seconds later, when the
   * old pair has timed out.
   */
  nudge(): void {
    if (this.#control.readyState === "open") this.#control.send(new Uint8Array(0));
  }

  /**
   * Gives up. Idempotent; no callback is called afterwards. A transport that was handed over is not
   * touched.
   */
  close(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#bindTimer);
    this.#pc.close();
  }

  #configuration(servers: readonly IceServer[]): RTCConfiguration {
    return {
      certificates: [this.#options.identity.certificate],
      iceServers: servers.map((server) => ({ ...server, urls: [...server.urls] })),
      iceTransportPolicy: this.#options.relayOnly === true ? "relay" : "all",
      bundlePolicy: "max-bundle",
    };
  }

  async #setRemote(description: RTCSessionDescriptionInit): Promise<void> {
    try {
      await this.#pc.setRemoteDescription(description);
    } catch {
      // Given up meanwhile: the description is too late, and no breach of the protocol.
      if (this.#over && !this.#bound) return;
      // The engine's error quotes lines of the SDP, including addresses.
      throw new ProtocolError();
    }
  }

  #channel(label: string, id: number): RTCDataChannel {
    const channel = this.#pc.createDataChannel(label, { negotiated: true, id, ordered: true });
    channel.binaryType = "arraybuffer";
    return channel;
  }

  #enqueue(message: Promise<Bytes>): void {
    this.#sending = this.#sending.then(async () => {
      const bytes = await message;
      // Candidates found before it was bound may still help.
      if (!this.#over || this.#bound) this.#options.send(bytes);
    }).catch(() => this.#fail("protocol"));
  }

  #open(): void {
    this.#bindTimer = setTimeout(() => this.#fail("protocol"), BIND_TIMEOUT_MS);
    this.#control.send(concat(new Uint8Array([RECORD.bind]), this.#options.keys.ownBinding));
  }

  #receiveControl(data: unknown): void {
    if (this.#bindingSeen) return this.#hold("control", data);
    this.#bindingSeen = true;
    this.#verifyBinding(toBytes(data)).catch(() => this.#fail("protocol"));
  }

  async #verifyBinding(message: Bytes | null): Promise<void> {
    if (message?.length !== BINDING_LENGTH || message[0] !== RECORD.bind) throw new ProtocolError();
    if (!await this.#options.keys.verifyPeerBinding(take(message, 1, BINDING_LENGTH - 1))) {
      throw new ProtocolError();
    }
    if (this.#over) return;
    this.#over = this.#bound = true;
    clearTimeout(this.#bindTimer);
    const parts = { pc: this.#pc, control: this.#control, files: this.#files };
    const transport = new RtcTransport(parts);
    this.#options.onBound(transport);
    // Later messages are read only now.
    for (const { lane, data } of this.#held) transport.receive(lane, data);
    this.#held = [];
  }

  #hold(lane: Lane, data: unknown): void {
    // The two channels are not ordered relative to each other, but an honest peer sends little
    // before it is bound.
    if (this.#held.length >= MAX_HELD || toBytes(data, this.#options.longest) === null) {
      return this.#fail("protocol");
    }
    this.#held.push({ lane, data });
  }

  #fail(why: "network" | "protocol"): void {
    if (this.#over) return;
    this.close();
    this.#options.onFailed(why);
  }
}
