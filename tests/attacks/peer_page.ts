/**
 * The page of a hostile peer. It has the right link and uses the project's own library, so it
 * really connects. After that it sends whatever a test wants, sealed with the right keys or not
 * sealed at all.
 *
 * @module
 */
import { DEFAULT_RULES } from "../../lib/protocol/display_options.ts";
import { type Bytes, concat, toBase64Url } from "../../lib/protocol/bytes.ts";
import type { ControlMessage } from "../../lib/protocol/control.ts";
import { CONTROL_PADDING } from "../../lib/protocol/limits.ts";
import {
  CHUNK_SIZE,
  encodeHeader,
  FLAG_FINAL,
  RECORD,
  type RecordHeader,
  TAG_LENGTH,
} from "../../lib/protocol/record.ts";
import { SenderHandshake, type SessionKeys, ViewerHandshake } from "../../lib/e2e/handshake.ts";
import { createLinkSecret, formatLink, parseFragment } from "../../lib/e2e/link.ts";
import {
  aesKey,
  counterNonce,
  encrypt,
  KEY_LENGTH,
  randomBytes,
  sha256,
} from "../../lib/e2e/suite.ts";
import type { Role } from "../../lib/e2e/transcript.ts";
import { Connection } from "../../lib/connection/connection.ts";

/** What is sent as the binding MAC, which has to be the first message of each side. */
export type Binding =
  | "right"
  /** Nothing is sent. */
  | "none"
  /** One bit is flipped. */
  | "wrong"
  /** The right bytes, as text. */
  | "text"
  /** The MAC of the other side, sent back to it. */
  | "reflected"
  /** A MAC without its last byte. */
  | "short"
  /** Sent after a correctly sealed control message. */
  | "late"
  /** Sent half a second after 65 records on the file channel. */
  | "behind";

/** How a record differs from an honest one. */
export type RecordLies = Partial<RecordHeader> & {
  /** The sequence number used in the nonce, if it differs from the header's. */
  readonly nonce?: number;
};

/** A picture to send: its bytes in base64, and what is claimed about them. */
export interface Claim {
  readonly bytes: string;
  readonly n?: number;
  readonly type?: string;
  readonly w?: unknown;
  readonly h?: unknown;
  readonly seconds?: unknown;
  /** Overrides fields of `meta`. */
  readonly lies?: Readonly<Record<string, unknown>>;
}

/** A sealed picture. */
export interface Parcel {
  readonly n: number;
  readonly meta: Readonly<Record<string, unknown>>;
  readonly metaHash: Bytes;
  readonly plain: Bytes;
  readonly rawKey: Bytes;
  readonly key: string;
  records: Bytes[];
}

/** Parameters for sealing one chunk. */
interface ChunkPlace {
  readonly image: number;
  readonly index: number;
  readonly final: boolean;
  readonly metaHash: Bytes;
}

/** Well below the 16 MiB at which Chromium's queue is full. */
const QUEUE_BYTES = 4 * 1024 * 1024;

/** The hostile peer: one connection per page. */
export class EvilPeer {
  /** Control messages received from the victim. */
  readonly heard: ControlMessage[] = [];
  /** Bytes of the victim's chunk records. */
  received = 0;
  /** Why the connection ended or was never bound, as seen from here; `null` while it exists. */
  ended: string | null = null;
  readonly #channels = new Map<string, RTCDataChannel>();
  readonly #bound = Promise.withResolvers<void>();
  #binding: Binding = "right";
  #keys: SessionKeys | null = null;
  #seq = 0;
  #sending: Promise<void> = Promise.resolve();
  #last: Bytes = new Uint8Array();
  #theirs: Bytes = new Uint8Array();

  /** Stores the keys of the handshake. */
  set keys(keys: SessionKeys) {
    this.#keys = keys;
  }

  /** Creates a room as its sender. Resolves to the link. */
  async host(server: string, binding: Binding = "right"): Promise<string> {
    const secret = createLinkSecret();
    const link = formatLink(server.replace(/^ws/, "http"), secret);
    await this.#connect("S", secret, server, binding);
    return link;
  }

  /** Takes the viewer's seat of a link. */
  async join(link: string, server: string, binding: Binding = "right"): Promise<void> {
    const secret = parseFragment(new URL(link).hash);
    if (secret === null) throw new TypeError("Cannot join: not a link");
    await this.#connect("R", secret, server, binding);
  }

  /** Resolves when this side is bound (the victim may not be), or was refused. */
  get bound(): Promise<void> {
    return this.#bound.promise;
  }

  /** Registers a channel, and replaces the binding with a lie. */
  adopt(label: string, channel: RTCDataChannel): void {
    this.#channels.set(label, channel);
    const binding = this.#binding;
    const send = (data: Bytes | string) => {
      if (typeof data === "string") channel.send(data);
      else channel.send(data);
    };
    if (label === "files" && binding === "behind") {
      channel.addEventListener("open", () => {
        for (let i = 0; i < 65; i++) send(new Uint8Array(1024));
      });
    }
    if (label !== "control") return;
    channel.addEventListener("message", ({ data }: MessageEvent<ArrayBuffer>) => {
      // Empty messages only probe the route, so there is no point in sending them back.
      if (data.byteLength === 0) return;
      this.#theirs = new Uint8Array(data);
      if (binding !== "reflected") return;
      if (this.#theirs[0] === RECORD.bind) send(this.#theirs);
    });
    if (binding === "right") return;
    channel.send = (data: unknown) => {
      Reflect.deleteProperty(channel, "send");
      if (data instanceof Uint8Array) this.#lieAboutBinding(new Uint8Array(data), send);
    };
  }

  /** Sends a correctly sealed message; its length is padded to a multiple of `pad`. */
  say(message: unknown, pad = CONTROL_PADDING): Promise<void> {
    return this.sayText(JSON.stringify(message), pad);
  }

  /** Sends any text in the same way. */
  sayText(text: string, pad = CONTROL_PADDING): Promise<void> {
    return this.sayBytes(padded(text, pad));
  }

  /** Seals and sends a plaintext as a control record, with a header that may lie. */
  sayBytes(plaintext: Bytes, lies: RecordLies = {}): Promise<void> {
    return this.#sending = this.#sending.then(async () => {
      const keys = this.#keys;
      if (keys === null) throw new TypeError("Cannot say anything: no keys");
      const seq = lies.seq ?? this.#seq;
      this.#seq++;
      const header = encodeHeader({ type: RECORD.control, flags: 0, image: 0, ...lies, seq });
      const nonce = counterNonce(lies.nonce ?? seq);
      this.#last = concat(
        header,
        await encrypt(keys.controlOut, plaintext, { nonce, aad: header }),
      );
      await this.raw("control", this.#last);
    });
  }

  /** Sends an exact copy of the last control record. */
  repeat(): Promise<void> {
    return this.raw("control", this.#last);
  }

  /** Sends the victim's own last control record back. */
  reflect(): Promise<void> {
    return this.raw("control", this.#theirs);
  }

  /** Sends bytes or text as they are. */
  async raw(label: "control" | "files", data: Bytes | string): Promise<void> {
    const channel = this.#channel(label);
    while (channel.bufferedAmount > QUEUE_BYTES) await pause(5);
    // The victim may have closed it, which is what tests are about.
    if (channel.readyState !== "open") return;
    if (typeof data === "string") channel.send(data);
    else channel.send(data);
  }

  /** Closes only this channel. */
  close(label: "control" | "files"): void {
    this.#channel(label).close();
  }

  /** Seals a picture; everything except the claim is honest. */
  async pack(claim: Claim): Promise<Parcel> {
    const { n = 0, type = "image/png", w = 800, h = 600, seconds = 60, lies = {} } = claim;
    const plain = Uint8Array.from(atob(claim.bytes), (character) => character.charCodeAt(0));
    const view = { ...DEFAULT_RULES, seconds };
    const meta = { t: "meta", n, type, size: plain.length, w, h, view, ...lies };
    const metaHash = await sha256(padded(JSON.stringify(meta), CONTROL_PADDING));
    const rawKey = randomBytes(KEY_LENGTH);
    const key = toBase64Url(rawKey);
    const last = Math.ceil(plain.length / CHUNK_SIZE) - 1;
    const parcel: Parcel = { n, meta, metaHash, plain, rawKey, key, records: [] };
    for (let index = 0; index <= last; index++) {
      const place = { image: n, index, final: index === last, metaHash };
      const chunk = plain.slice(index * CHUNK_SIZE, (index + 1) * CHUNK_SIZE);
      parcel.records.push(await this.sealChunk(rawKey, chunk, place));
    }
    return parcel;
  }

  /** Seals one chunk as the picture's owner does. */
  async sealChunk(rawKey: Bytes, chunk: Bytes, place: ChunkPlace): Promise<Bytes> {
    const { image, index, final, metaHash } = place;
    const flags = final ? FLAG_FINAL : 0;
    const header = encodeHeader({ type: RECORD.chunk, flags, image, seq: index });
    const nonce = new Uint8Array(12);
    new DataView(nonce.buffer).setUint32(7, index);
    nonce[11] = final ? 1 : 0;
    const key = await aesKey(rawKey.slice(), "encrypt");
    return concat(header, await encrypt(key, chunk, { nonce, aad: concat(header, metaHash) }));
  }

  /** Sends a parcel: announcement, records, and the digest of exactly these records. */
  async send(parcel: Parcel): Promise<void> {
    await this.say(parcel.meta);
    await this.sendRecords(parcel.records);
    await this.sendEnd(parcel);
  }

  /** Sends records one after the other. */
  async sendRecords(records: readonly Bytes[]): Promise<void> {
    for (const record of records) await this.raw("files", record);
  }

  /** Announces that all was sent; the digest is that of the parcel's current records. */
  async sendEnd(parcel: Parcel): Promise<void> {
    const tags = parcel.records.map((record) => record.slice(-TAG_LENGTH));
    await this.say({ t: "end", n: parcel.n, digest: toBase64Url(await sha256(concat(...tags))) });
  }

  /**
   * Waits for a message `t` from the victim and resolves to it, or to `null` if the connection
   * ended.
   */
  async hears(t: ControlMessage["t"]): Promise<ControlMessage | null> {
    for (;;) {
      const found = this.heard.find((message) => message.t === t);
      if (found !== undefined) return found;
      if (this.ended !== null) return null;
      await pause(5);
    }
  }

  /** Waits until the connection has ended, and returns why. */
  async end(): Promise<string> {
    while (this.ended === null) await pause(5);
    return this.ended;
  }

  async #connect(role: Role, secret: Bytes, server: string, binding: Binding): Promise<void> {
    this.#binding = binding;
    const seated = Promise.withResolvers<void>();
    const connection = new Connection({
      role,
      secret: secret.slice(),
      server,
      handlers: {
        onRoute() {},
        onReplaced: () => {},
        onSeated: () => seated.resolve(),
        onContact: () => {},
        onPeer: () => {},
        onCode: () => {},
        onTurnedAway: () => {},
        onFailed: (why) => {
          this.ended = why;
          this.#bound.resolve();
        },
        onBound: (link) => {
          link.listen({
            onAway() {},
            onBreak: () => ({ image: 0, chunk: 0 }),
            onResume() {},
            onControl: ({ message }) => void this.heard.push(message),
            onRecord: (record) => {
              this.received += record.length;
            },
            onSteady: () => {},
            onEnd: (why) => {
              this.ended = why;
            },
          });
          this.#bound.resolve();
        },
      },
    });
    connection.start();
    await seated.promise;
  }

  #channel(label: string): RTCDataChannel {
    const channel = this.#channels.get(label);
    if (channel === undefined) throw new TypeError(`Cannot use ${label}: no channel`);
    return channel;
  }

  #lieAboutBinding(mac: Bytes, send: (data: Bytes | string) => void): void {
    switch (this.#binding) {
      case "wrong":
        return send(mac.with(20, (mac[20] ?? 0) ^ 1));
      case "text":
        return send(String.fromCharCode(...mac));
      case "short":
        return send(mac.slice(0, -1));
      case "late":
        return void this.say({ t: "more", n: 0 }).then(() => send(mac));
      case "behind":
        return void pause(500).then(() => send(mac));
      case "right":
        return send(mac);
      case "none":
      case "reflected":
        return;
    }
  }
}

function padded(text: string, pad: number): Bytes {
  const json = new TextEncoder().encode(text);
  const out = new Uint8Array(Math.ceil(json.length / pad) * pad).fill(0x20);
  out.set(json);
  return out;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

declare global {
  var evil: EvilPeer;
}

const evil = globalThis.evil = new EvilPeer();

const { receiveHello } = SenderHandshake.prototype;
SenderHandshake.prototype.receiveHello = async function (message) {
  return evil.keys = await receiveHello.call(this, message);
};
const { receiveConfirmation } = ViewerHandshake.prototype;
ViewerHandshake.prototype.receiveConfirmation = async function (message) {
  const confirmed = await receiveConfirmation.call(this, message);
  evil.keys = confirmed.keys;
  return confirmed;
};

const { createDataChannel } = RTCPeerConnection.prototype;
RTCPeerConnection.prototype.createDataChannel = function (label, init) {
  const channel = createDataChannel.call(this, label, init);
  channel.binaryType = "arraybuffer";
  evil.adopt(label, channel);
  return channel;
};
