/**
 * The handshake M1…M4 as two state machines, one per role, each reading top to bottom. Any
 * deviation in length, type, order or MAC throws {@linkcode ProtocolError}, and the machine accepts
 * nothing more.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { ascii, type Bytes, concat, equalBytes } from "../protocol/bytes.ts";
import {
  COMMIT_LENGTH,
  HANDSHAKE,
  HELLO_EK_AT,
  HELLO_EPK_AT,
  HELLO_FP_AT,
  HELLO_NONCE_AT,
  HELLO_R_LENGTH,
  HELLO_S_LENGTH,
  M3_LENGTH,
  MODE,
  SHARE_LENGTH,
} from "../protocol/handshake.ts";
import { PROTOCOL_VERSION } from "../protocol/limits.ts";
import type { Code } from "./code.ts";
import type { CpaceRun } from "./cpace.ts";
import { CT_LENGTH, EK_LENGTH, type Kem, type KemPair } from "./kem.ts";
import { RepairOpener, RepairSealer } from "./repair_seal.ts";
import { SignalOpener, SignalSealer } from "./signal_seal.ts";
import {
  aesKey,
  ecdh,
  type EcdhPair,
  generateEcdh,
  hkdf,
  hkdfKey,
  hmacKey,
  KEY_LENGTH,
  mac,
  macMatches,
  POINT_LENGTH,
  ProtocolError,
  randomBytes,
  take,
  wipe,
} from "./suite.ts";
import {
  bindingInput,
  codeChannel,
  codePsk,
  codeSession,
  commitTo,
  confirmationS,
  deriveKey,
  deriveSas,
  keyMaterial,
  type Mode,
  rebindingInput,
  type Role,
  stripeTranscript,
  transcript1,
  transcript2,
} from "./transcript.ts";

/** What both sides get from a link. */
export interface LinkSecret {
  /** The 16 bytes of rid. */
  readonly room: Bytes;
  /** 32 bytes. The caller overwrites it, not the handshake, because a second one may need it. */
  readonly psk: Bytes;
}

/**
 * What a handshake leaves both sides for a reload of either page: a psk that no other link or code
 * yields.
 */
export interface ResumeSecret {
  /** 32 bytes. The owner overwrites it. */
  readonly resume: Bytes;
  /** What R used as proof in the first handshake. */
  readonly by: Proof;
  /**
   * The SAS of the first handshake, 6 bytes: it stays that of the session. A new one with each
   * reload would be one more try for somebody who has the link and is in between.
   */
  readonly sas: Bytes;
}

/** What R can use as proof in the first handshake. */
export type Proof = "link" | "code";

/** A side's own inputs. */
interface OwnParts {
  /** SHA-256 of this side's DTLS certificate, 32 bytes. */
  readonly fingerprint: Bytes;
  readonly kem: Kem;
}

/**
 * The inputs of S: the link, and the code that leads to the same room, if there is one. R chooses
 * which of them to use.
 */
export interface SenderInput extends OwnParts {
  readonly link: LinkSecret;
  readonly code: Code | null;
  /** What an earlier handshake of this session left. */
  readonly resumed?: ResumeSecret | null;
  /** A viewer was bound already: only they may return. */
  readonly only?: boolean;
}

/** The input of R: the link or the code that R was given, or what an earlier handshake left. */
export interface ViewerInput extends OwnParts {
  readonly secret: LinkSecret | Code | ResumeSecret;
}

/** The keys of one connection between the two; "own" and "peer" are seen from this side. */
export interface ConnectionKeys {
  readonly role: Role;
  readonly peerFingerprint: Bytes;
  readonly signalSealer: SignalSealer;
  readonly signalOpener: SignalOpener;
  /** This side's binding MAC, 32 bytes: the first message that it sends on the control channel. */
  readonly ownBinding: Bytes;
  /** Checks the peer's binding MAC in constant time. */
  verifyPeerBinding(tag: Bytes): Promise<boolean>;
}

/** What both sides hold after a handshake. */
export interface SessionKeys extends ConnectionKeys {
  /** What R used as proof, in this handshake or in the one that it resumes. */
  readonly by: Proof;
  /** True if this handshake resumes another. */
  readonly resumed: boolean;
  /**
   * The secret for resuming after a reload, 32 bytes, which the caller overwrites. A resumed
   * handshake returns the first handshake's.
   */
  leave(): Promise<Bytes>;
  /** SAS, 6 bytes. */
  readonly sas: Bytes;
  /** Seals and opens recovery messages, some of which may get lost. */
  readonly repairSealer: RepairSealer;
  readonly repairOpener: RepairOpener;
  /** AES-256-GCM keys of the control channel, one for each direction. */
  readonly controlOut: CryptoKey;
  readonly controlIn: CryptoKey;
  /**
   * The keys of the `n`-th further connection. Throws {@linkcode ProtocolError} for a number that
   * was used before: its nonces count from 0.
   */
  stripe(n: number): Promise<ConnectionKeys>;
  /** This side's MAC at the start of a further transport, over `head`, which precedes it there. */
  bindAgain(head: Bytes): Promise<Bytes>;
  /** Checks the peer's MAC of that kind in constant time. */
  verifyAgain(head: Bytes, tag: Bytes): Promise<boolean>;
}

function hello(type: number, parts: { epk: Bytes; nonce: Bytes; fingerprint: Bytes }): Bytes {
  return concat(
    new Uint8Array([type, PROTOCOL_VERSION]),
    parts.epk,
    parts.nonce,
    parts.fingerprint,
  );
}

function expect(condition: boolean): asserts condition {
  if (!condition) throw new ProtocolError();
}

function startsWith(message: Bytes, type: number, length: number): boolean {
  return message.length === length && message[0] === type && message[1] === PROTOCOL_VERSION;
}

/**
 * Runs `body`, and afterwards overwrites everything that it passed to `keep`, also if it throws.
 */
async function wipingAfter<T>(
  body: (keep: (secret: Bytes) => Bytes) => Promise<T>,
): Promise<T> {
  const secrets: Bytes[] = [];
  try {
    return await body((secret) => {
      secrets.push(secret);
      return secret;
    });
  } finally {
    wipe(...secrets);
  }
}

/** Derives the keys that tie a connection to a transcript and seal its signaling. */
async function deriveConnection(
  role: Role,
  { ikm, th, fpS, fpR }: { ikm: Bytes | CryptoKey; th: Bytes; fpS: Bytes; fpR: Bytes },
) {
  const peer: Role = role === "S" ? "R" : "S";
  const key = (label: Parameters<typeof deriveKey>[2]) => deriveKey(ikm, th, label);
  const [bindOwn, bindPeer, sigOwn, sigPeer] = await Promise.all([
    key(`bind ${role}`),
    key(`bind ${peer}`),
    key(`sig ${role}`),
    key(`sig ${peer}`),
  ]);
  const [signBinding, checkBinding, signalOut, signalIn] = await Promise.all([
    hmacKey(bindOwn, "sign"),
    hmacKey(bindPeer, "verify"),
    aesKey(sigOwn, "encrypt"),
    aesKey(sigPeer, "decrypt"),
  ]);
  wipe(sigOwn, sigPeer);
  const binding = bindingInput(th, fpS, fpR);
  const keys: ConnectionKeys = {
    role,
    peerFingerprint: role === "S" ? fpR : fpS,
    signalSealer: new SignalSealer(signalOut),
    signalOpener: new SignalOpener(signalIn),
    ownBinding: await mac(signBinding, binding),
    verifyPeerBinding: (tag) => macMatches(checkBinding, tag, binding),
  };
  return { keys, signBinding, checkBinding };
}

/** Derives all keys of one side from the key material. */
async function deriveSession(
  role: Role,
  secrets: {
    mode: Mode;
    ikm: Bytes;
    th2: Bytes;
    fpS: Bytes;
    fpR: Bytes;
    sas: Bytes;
    resumed: ResumeSecret | null;
  },
): Promise<SessionKeys> {
  const { mode, ikm, th2, fpS, fpR, sas, resumed } = secrets;
  const peer: Role = role === "S" ? "R" : "S";
  const key = (label: Parameters<typeof deriveKey>[2]) => deriveKey(ikm, th2, label);
  const [ctlOwn, ctlPeer, repOwn, repPeer, stripes] = await Promise.all([
    key(`ctl ${role}`),
    key(`ctl ${peer}`),
    key(`rep ${role}`),
    key(`rep ${peer}`),
    key("stripes"),
  ]);
  const [controlOut, controlIn, repairOut, repairIn, stripesKey] = await Promise.all([
    aesKey(ctlOwn, "encrypt"),
    aesKey(ctlPeer, "decrypt"),
    aesKey(repOwn, "encrypt"),
    aesKey(repPeer, "decrypt"),
    hkdfKey(stripes),
  ]);
  wipe(ctlOwn, ctlPeer, repOwn, repPeer);
  const leftKey = await hkdfKey(await key("resume"));
  const first = await deriveConnection(role, { ikm, th: th2, fpS, fpR });
  const { signBinding, checkBinding } = first;
  const used = new Set<number>();
  return {
    ...first.keys,
    by: resumed?.by ?? (mode === MODE.code ? "code" : "link"),
    resumed: resumed !== null,
    // The first handshake's secret stays in use: it must not matter which page was reloaded when.
    leave: async () =>
      resumed !== null
        ? resumed.resume.slice()
        : await hkdf(leftKey, th2, "resume psk", KEY_LENGTH),
    sas: resumed?.sas ?? sas,
    repairSealer: new RepairSealer(repairOut),
    repairOpener: new RepairOpener(repairIn),
    controlOut,
    controlIn,
    async stripe(n) {
      expect(!used.has(n));
      used.add(n);
      const th = await stripeTranscript(th2, n);
      return (await deriveConnection(role, { ikm: stripesKey, th, fpS, fpR })).keys;
    },
    bindAgain: (head) => mac(signBinding, rebindingInput(th2, head)),
    verifyAgain: (head, tag) => macMatches(checkBinding, tag, rebindingInput(th2, head)),
  };
}

/** Runs steps in order, each once. A step that throws or is out of order ends the machine. */
class Turns {
  #next = 0;

  async take<T>(step: number, run: () => Promise<T>): Promise<T> {
    const due = step === this.#next;
    // Nothing is accepted until the step has succeeded: neither a failed step nor one out of order
    // leaves a way back.
    this.#next = -1;
    expect(due);
    const result = await run();
    this.#next = step + 1;
    return result;
  }
}

/** The mode that belongs to R's secret. */
function modeOf(secret: ViewerInput["secret"]): Mode {
  if ("psk" in secret) return MODE.link;
  return "resume" in secret ? MODE.resume : MODE.code;
}

/**
 * The room in the transcript. It is empty for a resumed handshake, whose secret already depends on
 * an earlier one.
 */
function roomOf(secret: ViewerInput["secret"]): Bytes {
  if ("psk" in secret) return secret.room;
  return "resume" in secret ? new Uint8Array(0) : ascii(secret.digits);
}

/** The length of M2 or M3, including the CPace share if the mode has one. */
function withShare(mode: Mode, length: number): number {
  return mode === MODE.code ? length + SHARE_LENGTH : length;
}

/** Starts the CPace run of a code; the two sides differ only in the scalar. */
async function startRun(code: Code, commit: Bytes, nonceS: Bytes): Promise<CpaceRun> {
  const { CpaceRun } = await import("./cpace.ts");
  const room = ascii(code.digits);
  return new CpaceRun({
    password: ascii(code.words),
    channel: codeChannel(room),
    session: await codeSession(room, commit, nonceS),
  });
}

/**
 * Finishes the run and returns the psk of this handshake. Throws {@linkcode ProtocolError} if the
 * peer's share is not a point.
 */
async function finishRun(
  run: CpaceRun,
  peer: Role,
  { shareS, shareR, fpS, fpR }: { shareS: Bytes; shareR: Bytes; fpS: Bytes; fpR: Bytes },
): Promise<Bytes> {
  const transcript = { shareA: shareS, dataA: fpS, shareB: shareR, dataB: fpR };
  const isk = await run.finish(peer === "S" ? shareS : shareR, transcript);
  const psk = await codePsk(isk);
  wipe(isk);
  return psk;
}

/** R's side: the viewer, who joined and commits first. */
export class ViewerHandshake {
  /** M1. */
  readonly commit: Bytes;
  readonly #input: ViewerInput;
  readonly #mode: Mode;
  readonly #room: Bytes;
  readonly #pair: EcdhPair;
  readonly #helloR: Bytes;
  readonly #turns = new Turns();
  #pending:
    | { readonly keys: SessionKeys; readonly confirmS: CryptoKey; readonly signedS: Bytes }
    | null = null;

  private constructor(
    input: ViewerInput,
    parts: { mode: Mode; pair: EcdhPair; helloR: Bytes; commit: Bytes },
  ) {
    this.#input = input;
    this.#mode = parts.mode;
    this.#room = roomOf(input.secret);
    this.#pair = parts.pair;
    this.#helloR = parts.helloR;
    this.commit = parts.commit;
  }

  /** Draws keys and nonce, and commits to them. */
  static async start(input: ViewerInput): Promise<ViewerHandshake> {
    const pair = await generateEcdh();
    const helloR = hello(HANDSHAKE.helloR, {
      epk: pair.publicKey,
      nonce: randomBytes(KEY_LENGTH),
      fingerprint: input.fingerprint,
    });
    const mode = modeOf(input.secret);
    const commit = await commitTo(mode, helloR);
    return new ViewerHandshake(input, { mode, pair, helloR, commit });
  }

  /** Takes M2, returns M3. Throws {@linkcode ProtocolError}. */
  receiveHello(helloS: Bytes): Promise<Bytes> {
    return this.#turns.take(0, () =>
      wipingAfter(async (keep) => {
        const mode = this.#mode;
        expect(startsWith(helloS, HANDSHAKE.helloS, withShare(mode, HELLO_S_LENGTH)));
        const epkS = take(helloS, HELLO_EPK_AT, POINT_LENGTH);
        expect(!equalBytes(epkS, this.#pair.publicKey));
        const ek = take(helloS, HELLO_EK_AT, EK_LENGTH);
        const fpS = take(helloS, HELLO_FP_AT, KEY_LENGTH);
        const fpR = this.#input.fingerprint;
        const zEcdh = keep(await ecdh(this.#pair.privateKey, epkS));
        const { ciphertext, secret } = await this.#input.kem.encapsulate(ek);
        const zMlkem = keep(secret);
        const { psk, share } = await this.#agree(helloS);
        keep(psk);
        const hellos = { commit: this.commit, helloS, helloR: this.#helloR };
        const th1 = await transcript1({ mode, room: this.#room, ...hellos });
        const th2 = await transcript2(th1, ciphertext, share);
        const ikm = keep(keyMaterial(zEcdh, zMlkem, psk));
        const sas = await deriveSas(zEcdh, th1);
        const confirmR = await hmacKey(await deriveKey(ikm, th2, "confirm R"), "sign");
        const confirmS = await hmacKey(await deriveKey(ikm, th2, "confirm S"), "verify");
        const macR = await mac(confirmR, th2);
        const { secret: known } = this.#input;
        const resumed = "resume" in known ? known : null;
        const keys = await deriveSession("R", { mode, ikm, th2, fpS, fpR, sas, resumed });
        this.#pending = { keys, confirmS, signedS: confirmationS(th2, macR) };
        return concat(this.#helloR, ciphertext, share ?? new Uint8Array(0), macR);
      }));
  }

  /** Takes M4 and returns the verified keys and S's SDP offer. Throws {@linkcode ProtocolError}. */
  receiveConfirmation(message: Bytes): Promise<{ keys: SessionKeys; offer: string }> {
    return this.#turns.take(1, async () => {
      expect(this.#pending !== null);
      const { keys, confirmS, signedS } = this.#pending;
      expect(message[0] === HANDSHAKE.offer && message[1] === PROTOCOL_VERSION);
      expect(message.length > 2 + KEY_LENGTH);
      const macS = take(message, 2, KEY_LENGTH);
      expect(await macMatches(confirmS, macS, signedS));
      const offer = await keys.signalOpener.open(message, 2 + KEY_LENGTH);
      return { keys, offer };
    });
  }

  /** A copy of the known psk, or the psk of a CPace run, whose share goes into M3. */
  async #agree(helloS: Bytes): Promise<{ psk: Bytes; share?: Bytes }> {
    const { secret, fingerprint: fpR } = this.#input;
    if ("psk" in secret) return { psk: secret.psk.slice() };
    if ("resume" in secret) return { psk: secret.resume.slice() };
    const run = await startRun(secret, this.commit, take(helloS, HELLO_NONCE_AT, KEY_LENGTH));
    const shareS = take(helloS, HELLO_S_LENGTH, SHARE_LENGTH);
    const fpS = take(helloS, HELLO_FP_AT, KEY_LENGTH);
    const psk = await finishRun(run, "S", { shareS, shareR: run.share, fpS, fpR });
    return { psk, share: run.share };
  }
}

/** S's side: the sender, who created the room and sends no SDP before R has proved the secret. */
export class SenderHandshake {
  readonly #input: SenderInput;
  readonly #pair: EcdhPair;
  readonly #kemPair: KemPair;
  readonly #turns = new Turns();
  #helloS: Bytes;
  #committed:
    | { readonly mode: Mode; readonly commit: Bytes; readonly run: CpaceRun | null }
    | null = null;
  #confirmed: { readonly keys: SessionKeys; readonly macS: Bytes } | null = null;

  private constructor(
    input: SenderInput,
    parts: { pair: EcdhPair; kemPair: KemPair; helloS: Bytes },
  ) {
    this.#input = input;
    this.#pair = parts.pair;
    this.#kemPair = parts.kemPair;
    this.#helloS = parts.helloS;
  }

  /** Draws both key pairs and the nonce. */
  static async start(input: SenderInput): Promise<SenderHandshake> {
    const [pair, kemPair] = await Promise.all([generateEcdh(), input.kem.generate()]);
    const helloS = concat(
      hello(HANDSHAKE.helloS, {
        epk: pair.publicKey,
        nonce: randomBytes(KEY_LENGTH),
        fingerprint: input.fingerprint,
      }),
      kemPair.encapsulationKey,
    );
    return new SenderHandshake(input, { pair, kemPair, helloS });
  }

  /**
   * Takes M1, returns M2. Throws {@linkcode ProtocolError}, also if R uses a code and there is
   * none.
   */
  receiveCommit(commit: Bytes): Promise<Bytes> {
    return this.#turns.take(0, async () => {
      expect(startsWith(commit, HANDSHAKE.commit, COMMIT_LENGTH));
      const { code, resumed = null, only = false } = this.#input;
      if (commit[2] === MODE.resume) {
        expect(resumed !== null);
        this.#committed = { mode: MODE.resume, commit, run: null };
        return this.#helloS;
      }
      expect(!only);
      if (commit[2] === MODE.link) {
        this.#committed = { mode: MODE.link, commit, run: null };
        return this.#helloS;
      }
      expect(commit[2] === MODE.code && code !== null);
      const run = await startRun(code, commit, take(this.#helloS, HELLO_NONCE_AT, KEY_LENGTH));
      this.#committed = { mode: MODE.code, commit, run };
      this.#helloS = concat(this.#helloS, run.share);
      return this.#helloS;
    });
  }

  /**
   * Takes M3. Once this resolves, R has proved that they know the secret. Throws
   * {@linkcode ProtocolError}.
   */
  receiveHello(message: Bytes): Promise<SessionKeys> {
    return this.#turns.take(1, () =>
      wipingAfter(async (keep) => {
        expect(this.#committed !== null);
        const { mode, commit, run } = this.#committed;
        const helloS = this.#helloS;
        expect(startsWith(message, HANDSHAKE.helloR, withShare(mode, M3_LENGTH)));
        const helloR = take(message, 0, HELLO_R_LENGTH);
        const ciphertext = take(message, HELLO_R_LENGTH, CT_LENGTH);
        const macR = take(message, message.length - KEY_LENGTH, KEY_LENGTH);
        const shareR = run === null
          ? undefined
          : take(message, HELLO_R_LENGTH + CT_LENGTH, SHARE_LENGTH);
        expect(equalBytes(commit, await commitTo(mode, helloR)));
        const epkR = take(helloR, HELLO_EPK_AT, POINT_LENGTH);
        expect(!equalBytes(epkR, this.#pair.publicKey));
        const fpR = take(helloR, HELLO_FP_AT, KEY_LENGTH);
        const fpS = this.#input.fingerprint;
        const zEcdh = keep(await ecdh(this.#pair.privateKey, epkR));
        const zMlkem = keep(await this.#decapsulate(ciphertext));
        const resumed = mode === MODE.resume ? this.#input.resumed ?? null : null;
        const psk = keep(
          run === null || shareR === undefined
            ? (resumed?.resume ?? this.#input.link.psk).slice()
            : await finishRun(run, "R", { shareS: run.share, shareR, fpS, fpR }),
        );
        const th1 = await transcript1({ mode, room: this.#room(mode), commit, helloS, helloR });
        const th2 = await transcript2(th1, ciphertext, shareR);
        const ikm = keep(keyMaterial(zEcdh, zMlkem, psk));
        const sas = await deriveSas(zEcdh, th1);
        const confirmR = await hmacKey(await deriveKey(ikm, th2, "confirm R"), "verify");
        expect(await macMatches(confirmR, macR, th2));
        const confirmS = await hmacKey(await deriveKey(ikm, th2, "confirm S"), "sign");
        const macS = await mac(confirmS, confirmationS(th2, macR));
        const keys = await deriveSession("S", { mode, ikm, th2, fpS, fpR, sas, resumed });
        this.#confirmed = { keys, macS };
        return keys;
      }));
  }

  /** Makes M4 from the SDP offer. Throws {@linkcode ProtocolError} before R is confirmed. */
  confirm(offer: string): Promise<Bytes> {
    return this.#turns.take(2, () => {
      expect(this.#confirmed !== null);
      const { keys, macS } = this.#confirmed;
      return keys.signalSealer.seal(HANDSHAKE.offer, offer, macS);
    });
  }

  /** Overwrites the secrets of an unfinished handshake. Idempotent. */
  end(): void {
    this.#committed?.run?.end();
    this.#kemPair.end();
  }

  /** The room's address in the transcript, by the mode that R chose. */
  #room(mode: Mode): Bytes {
    const { link, code, resumed } = this.#input;
    if (mode === MODE.resume && resumed) return roomOf(resumed);
    return mode === MODE.code && code !== null ? roomOf(code) : roomOf(link);
  }

  async #decapsulate(ciphertext: Bytes): Promise<Bytes> {
    try {
      return await this.#kemPair.decapsulate(ciphertext);
    } catch {
      throw new ProtocolError();
    }
  }
}
