/**
 * The handshake M1…M4 as two machines, one per role, each reading top to bottom. Whatever deviates in length, type,
 * order or MAC throws {@linkcode ProtocolError}, and the machine is dead from then on.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { type Bytes, concat, equalBytes } from "../protocol/bytes.ts";
import {
  COMMIT_LENGTH,
  HANDSHAKE,
  HELLO_EK_AT,
  HELLO_EPK_AT,
  HELLO_FP_AT,
  HELLO_R_LENGTH,
  HELLO_S_LENGTH,
  M3_LENGTH,
  MODE,
} from "../protocol/handshake.ts";
import { PROTOCOL_VERSION } from "../protocol/limits.ts";
import { CT_LENGTH, EK_LENGTH, type Kem, type KemPair } from "./kem.ts";
import { SignalOpener, SignalSealer } from "./signal_seal.ts";
import {
  aesKey,
  ecdh,
  type EcdhPair,
  generateEcdh,
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
  commitTo,
  confirmationS,
  deriveKey,
  deriveSas,
  keyMaterial,
  type Role,
  transcript1,
  transcript2,
} from "./transcript.ts";

/** What a side brings to the handshake. */
export interface HandshakeInput {
  /** The address this joiner used: the 16 bytes of rid. */
  readonly room: Bytes;
  /** 32 bytes of the link. Overwritten by the caller, not here: a second handshake may need it. */
  readonly psk: Bytes;
  /** SHA-256 of this side's DTLS certificate, 32 bytes. */
  readonly fingerprint: Bytes;
  readonly kem: Kem;
}

/** What both sides hold after a handshake; "own" and "peer" are seen from here. */
export interface SessionKeys {
  readonly role: Role;
  readonly peerFingerprint: Bytes;
  /** SAS, 6 bytes. */
  readonly sas: Bytes;
  readonly signalSealer: SignalSealer;
  readonly signalOpener: SignalOpener;
  /** AES-256-GCM keys of the control channel, one for each direction. */
  readonly controlOut: CryptoKey;
  readonly controlIn: CryptoKey;
  /** This side's binding MAC, 32 bytes: the first thing it says on the control channel. */
  readonly ownBinding: Bytes;
  /** Checks the other side's binding MAC in constant time. */
  verifyPeerBinding(tag: Bytes): Promise<boolean>;
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

/** Derives all keys of one side from the three secrets, and overwrites the key material. */
async function deriveSession(
  role: Role,
  secrets: { ikm: Bytes; th2: Bytes; fpS: Bytes; fpR: Bytes; sas: Bytes },
): Promise<SessionKeys> {
  const { ikm, th2, fpS, fpR, sas } = secrets;
  const peer: Role = role === "S" ? "R" : "S";
  const key = (label: Parameters<typeof deriveKey>[2]) => deriveKey(ikm, th2, label);
  const [bindOwn, bindPeer, sigOwn, sigPeer, ctlOwn, ctlPeer] = await Promise.all([
    key(`bind ${role}`),
    key(`bind ${peer}`),
    key(`sig ${role}`),
    key(`sig ${peer}`),
    key(`ctl ${role}`),
    key(`ctl ${peer}`),
  ]);
  const [signalOut, signalIn, controlOut, controlIn, signBinding, checkBinding] = await Promise.all(
    [
      aesKey(sigOwn, "encrypt"),
      aesKey(sigPeer, "decrypt"),
      aesKey(ctlOwn, "encrypt"),
      aesKey(ctlPeer, "decrypt"),
      hmacKey(bindOwn, "sign"),
      hmacKey(bindPeer, "verify"),
    ],
  );
  wipe(ikm, sigOwn, sigPeer, ctlOwn, ctlPeer);
  const binding = bindingInput(th2, fpS, fpR);
  return {
    role,
    peerFingerprint: role === "S" ? fpR : fpS,
    sas,
    signalSealer: new SignalSealer(signalOut),
    signalOpener: new SignalOpener(signalIn),
    controlOut,
    controlIn,
    ownBinding: await mac(signBinding, binding),
    verifyPeerBinding: (tag) => macMatches(checkBinding, tag, binding),
  };
}

/** Runs steps in order, each once; any throw or any step out of turn ends the machine. */
class Turns {
  #next = 0;

  async take<T>(step: number, run: () => Promise<T>): Promise<T> {
    const due = step === this.#next;
    // Dead until the step went well: neither a failed step nor one out of turn leaves a way back.
    this.#next = -1;
    expect(due);
    const result = await run();
    this.#next = step + 1;
    return result;
  }
}

/** R's side: he joined, and commits first. */
export class ViewerHandshake {
  /** M1. */
  readonly commit: Bytes;
  readonly #input: HandshakeInput;
  readonly #pair: EcdhPair;
  readonly #helloR: Bytes;
  readonly #turns = new Turns();
  #pending:
    | { readonly keys: SessionKeys; readonly confirmS: CryptoKey; readonly signedS: Bytes }
    | null = null;

  private constructor(
    input: HandshakeInput,
    parts: { pair: EcdhPair; helloR: Bytes; commit: Bytes },
  ) {
    this.#input = input;
    this.#pair = parts.pair;
    this.#helloR = parts.helloR;
    this.commit = parts.commit;
  }

  /** Draws keys and nonce, and commits to them. */
  static async start(input: HandshakeInput): Promise<ViewerHandshake> {
    const pair = await generateEcdh();
    const helloR = hello(HANDSHAKE.helloR, {
      epk: pair.publicKey,
      nonce: randomBytes(KEY_LENGTH),
      fingerprint: input.fingerprint,
    });
    const commit = await commitTo(MODE.link, helloR);
    return new ViewerHandshake(input, { pair, helloR, commit });
  }

  /** Takes M2, returns M3. Throws {@linkcode ProtocolError}. */
  receiveHello(helloS: Bytes): Promise<Bytes> {
    return this.#turns.take(0, async () => {
      expect(startsWith(helloS, HANDSHAKE.helloS, HELLO_S_LENGTH));
      const epkS = take(helloS, HELLO_EPK_AT, POINT_LENGTH);
      expect(!equalBytes(epkS, this.#pair.publicKey));
      const fpS = take(helloS, HELLO_FP_AT, KEY_LENGTH);
      const zEcdh = await ecdh(this.#pair.privateKey, epkS);
      const encapsulation = await this.#input.kem.encapsulate(take(helloS, HELLO_EK_AT, EK_LENGTH));
      const th1 = await transcript1({
        mode: MODE.link,
        room: this.#input.room,
        commit: this.commit,
        helloS,
        helloR: this.#helloR,
      });
      const th2 = await transcript2(th1, encapsulation.ciphertext);
      const ikm = keyMaterial(zEcdh, encapsulation.secret, this.#input.psk);
      const sas = await deriveSas(zEcdh, th1);
      wipe(zEcdh, encapsulation.secret);
      const confirmR = await hmacKey(await deriveKey(ikm, th2, "confirm R"), "sign");
      const confirmS = await hmacKey(await deriveKey(ikm, th2, "confirm S"), "verify");
      const macR = await mac(confirmR, th2);
      const keys = await deriveSession("R", { ikm, th2, fpS, fpR: this.#input.fingerprint, sas });
      this.#pending = { keys, confirmS, signedS: confirmationS(th2, macR) };
      return concat(this.#helloR, encapsulation.ciphertext, macR);
    });
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
}

/** S's side: she made the room, and says nothing about herself before R proved the secret. */
export class SenderHandshake {
  readonly #input: HandshakeInput;
  readonly #pair: EcdhPair;
  readonly #kemPair: KemPair;
  readonly #helloS: Bytes;
  readonly #turns = new Turns();
  #commit: Bytes | null = null;
  #confirmed: { readonly keys: SessionKeys; readonly macS: Bytes } | null = null;

  private constructor(
    input: HandshakeInput,
    parts: { pair: EcdhPair; kemPair: KemPair; helloS: Bytes },
  ) {
    this.#input = input;
    this.#pair = parts.pair;
    this.#kemPair = parts.kemPair;
    this.#helloS = parts.helloS;
  }

  /** Draws both key pairs and the nonce. */
  static async start(input: HandshakeInput): Promise<SenderHandshake> {
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

  /** Takes M1, returns M2. Throws {@linkcode ProtocolError}. */
  receiveCommit(commit: Bytes): Promise<Bytes> {
    return this.#turns.take(0, () => {
      expect(startsWith(commit, HANDSHAKE.commit, COMMIT_LENGTH) && commit[2] === MODE.link);
      this.#commit = commit;
      return Promise.resolve(this.#helloS);
    });
  }

  /** Takes M3; when this returns, R has proved that he knows the link. Throws {@linkcode ProtocolError}. */
  receiveHello(message: Bytes): Promise<SessionKeys> {
    return this.#turns.take(1, async () => {
      expect(this.#commit !== null);
      expect(startsWith(message, HANDSHAKE.helloR, M3_LENGTH));
      const helloR = take(message, 0, HELLO_R_LENGTH);
      const ciphertext = take(message, HELLO_R_LENGTH, CT_LENGTH);
      const macR = take(message, HELLO_R_LENGTH + CT_LENGTH, KEY_LENGTH);
      expect(equalBytes(this.#commit, await commitTo(MODE.link, helloR)));
      const epkR = take(helloR, HELLO_EPK_AT, POINT_LENGTH);
      expect(!equalBytes(epkR, this.#pair.publicKey));
      const fpR = take(helloR, HELLO_FP_AT, KEY_LENGTH);
      const zEcdh = await ecdh(this.#pair.privateKey, epkR);
      const zMlkem = await this.#decapsulate(ciphertext);
      const th1 = await transcript1({
        mode: MODE.link,
        room: this.#input.room,
        commit: this.#commit,
        helloS: this.#helloS,
        helloR,
      });
      const th2 = await transcript2(th1, ciphertext);
      const ikm = keyMaterial(zEcdh, zMlkem, this.#input.psk);
      const sas = await deriveSas(zEcdh, th1);
      wipe(zEcdh, zMlkem);
      const confirmR = await hmacKey(await deriveKey(ikm, th2, "confirm R"), "verify");
      expect(await macMatches(confirmR, macR, th2));
      const confirmS = await hmacKey(await deriveKey(ikm, th2, "confirm S"), "sign");
      const macS = await mac(confirmS, confirmationS(th2, macR));
      const keys = await deriveSession("S", { ikm, th2, fpS: this.#input.fingerprint, fpR, sas });
      this.#confirmed = { keys, macS };
      return keys;
    });
  }

  /** Makes M4 from the SDP offer. Throws {@linkcode ProtocolError} before R is confirmed. */
  confirm(offer: string): Promise<Bytes> {
    return this.#turns.take(2, () => {
      expect(this.#confirmed !== null);
      const { keys, macS } = this.#confirmed;
      return keys.signalSealer.seal(HANDSHAKE.offer, offer, macS);
    });
  }

  async #decapsulate(ciphertext: Bytes): Promise<Bytes> {
    try {
      return await this.#kemPair.decapsulate(ciphertext);
    } catch {
      throw new ProtocolError();
    }
  }
}
