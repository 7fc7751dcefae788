/**
 * What the owner of the server can do with the two people's own tools: impersonate one of them, or
 * both.
 *
 * @module
 */
import {
  type LinkSecret,
  SenderHandshake,
  type SenderInput,
  ViewerHandshake,
  type ViewerInput,
} from "../../lib/e2e/handshake.ts";
import type { Code } from "../../lib/e2e/code.ts";
import { loadKem } from "../../lib/e2e/kem.ts";
import {
  ecdh,
  generateEcdh,
  hmacKey,
  mac,
  POINT_LENGTH,
  ProtocolError,
  randomBytes,
  take,
} from "../../lib/e2e/suite.ts";
import { deriveKey, keyMaterial, transcript1, transcript2 } from "../../lib/e2e/transcript.ts";
import { type Bytes, concat, fromBase64Url, toBase64Url } from "../../lib/protocol/bytes.ts";
import { HANDSHAKE, HELLO_EK_AT, HELLO_EPK_AT, MODE } from "../../lib/protocol/handshake.ts";
import { PROTOCOL_VERSION } from "../../lib/protocol/limits.ts";
import type { ClientMessage } from "../../lib/protocol/signaling.ts";
import { Client } from "../rooms/room_server.ts";
import type { EvilServer, RelayHook } from "./evil_server.ts";

/** What an uninvited participant brings to a handshake; works for both sides of it. */
export interface Attacker extends SenderInput, ViewerInput {}

/**
 * Somebody who was never given the link. They know the room's address, as every server does, and
 * guess the 32 bytes of `psk`. With `psk` it is somebody who has the link.
 */
export async function attacker(
  room: Bytes,
  psk = randomBytes(32),
): Promise<Attacker & { readonly secret: LinkSecret }> {
  const link = { room, psk };
  return { secret: link, link, code: null, fingerprint: randomBytes(32), kem: await loadKem() };
}

/** Somebody who guesses a code. */
export async function guesser(code: Code): Promise<Attacker> {
  const link = { room: randomBytes(16), psk: randomBytes(32) };
  return { secret: code, link, code, fingerprint: randomBytes(32), kem: await loadKem() };
}

/** True if `step` was refused with a ProtocolError; other errors are thrown. */
export async function isRefused(step: () => Promise<unknown>): Promise<boolean> {
  try {
    await step();
    return false;
  } catch (error) {
    if (error instanceof ProtocolError) return true;
    throw error;
  }
}

/**
 * The classic man in the middle: a viewer for the sender and a sender for the viewer, with
 * different keys for each.
 */
export class Middle {
  /** What the attacker has learned so far, in words; empty if the protocol holds. */
  readonly won: string[] = [];
  readonly #evil: EvilServer;
  readonly #asSender: SenderHandshake;
  readonly #asViewer: ViewerHandshake;

  private constructor(evil: EvilServer, asSender: SenderHandshake, asViewer: ViewerHandshake) {
    this.#evil = evil;
    this.#asSender = asSender;
    this.#asViewer = asViewer;
  }

  /** Gets between the two people of `evil`, with the attacker's knowledge. */
  static async start(evil: EvilServer, input: Attacker): Promise<Middle> {
    return new Middle(evil, await SenderHandshake.start(input), await ViewerHandshake.start(input));
  }

  /** Receives what either side sends and answers it; nothing reaches the other side. */
  readonly hook: RelayHook = async (from, bytes, victim) => {
    switch (bytes[0]) {
      case HANDSHAKE.commit:
        victim.relay(await this.#asSender.receiveCommit(bytes));
        (await this.#evil.victim("S")).relay(this.#asViewer.commit);
        break;
      case HANDSHAKE.helloS:
        victim.relay(await this.#asViewer.receiveHello(bytes));
        break;
      case HANDSHAKE.helloR:
        if (!await isRefused(() => this.#asSender.receiveHello(bytes))) {
          this.won.push("the viewer's keys");
          victim.relay(await this.#asSender.confirm("v=0"));
        }
        break;
      default:
        this.won.push(`message ${bytes[0]} of ${from}`);
        if (bytes[0] === HANDSHAKE.offer) {
          await isRefused(async () => {
            this.won.push((await this.#asViewer.receiveConfirmation(bytes)).offer);
          });
        }
    }
    return null;
  };
}

/** A seat that the attacker took at the real server. */
export class Seat {
  readonly client: Client;

  private constructor(client: Client) {
    this.client = client;
  }

  /** Sends `first` to the real server; the seat may be refused, see {@linkcode Seat.answer}. */
  static async claim(evil: EvilServer, room: string, first: ClientMessage): Promise<Seat> {
    const { host, port } = new URL(evil.target);
    const client = await Client.connect({ host, port: Number(port) }, room);
    client.send(first);
    return new Seat(client);
  }

  /** The type of the first answer: `joined`, or `err`. */
  async answer(): Promise<string> {
    return (await this.client.next()).t;
  }

  /** Sends a handshake message to the other seat. */
  relay(bytes: Bytes): void {
    this.client.send({ t: "relay", d: toBase64Url(bytes) });
  }

  /**
   * The next handshake message, skipping other messages of the server; `null` if the other side or
   * the seat is gone.
   */
  async next(): Promise<Bytes | null> {
    const closed = this.client.closed.then(() => null);
    for (;;) {
      const message = await Promise.race([this.client.next(), closed]);
      if (message?.t === "relay") return fromBase64Url(message.d);
      const over = message === null || message.t === "gone" ||
        (message.t === "peer" && !message.up);
      if (over) return null;
    }
  }

  /**
   * Plays the viewer against the real sender with what `input` knows. Resolves to the sender's SDP
   * if the sender was deceived, otherwise to `null`.
   */
  async playViewer(input: ViewerInput): Promise<string | null> {
    const handshake = await ViewerHandshake.start(input);
    this.relay(handshake.commit);
    const helloS = await this.next();
    if (helloS === null) return null;
    this.relay(await handshake.receiveHello(helloS));
    const confirmation = await this.next();
    if (confirmation === null) return null;
    return (await handshake.receiveConfirmation(confirmation)).offer;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.client[Symbol.asyncDispose]();
  }
}

/**
 * M3 of a viewer who has the link and committed to one HELLO, but sends another one, made after
 * seeing `helloS`. If that worked, they could try many of them for a convenient SAS.
 */
export async function changeOfMind(
  { secret: { room, psk }, fingerprint, kem }: Attacker & { readonly secret: LinkSecret },
  { commit, helloS }: { readonly commit: Bytes; readonly helloS: Bytes },
): Promise<Bytes> {
  const pair = await generateEcdh();
  const head = new Uint8Array([HANDSHAKE.helloR, PROTOCOL_VERSION]);
  const helloR = concat(head, pair.publicKey, randomBytes(32), fingerprint);
  const { ciphertext, secret: zMlkem } = await kem.encapsulate(take(helloS, HELLO_EK_AT, 1_184));
  const z = await ecdh(pair.privateKey, take(helloS, HELLO_EPK_AT, POINT_LENGTH));
  const th1 = await transcript1({ mode: MODE.link, room, commit, helloS, helloR });
  const th2 = await transcript2(th1, ciphertext);
  const key = await deriveKey(keyMaterial(z, zMlkem, psk), th2, "confirm R");
  return concat(helloR, ciphertext, await mac(await hmacKey(key, "sign"), th2));
}
