/**
 * This project's implementation, as the kit asks for it: one JSON object a line in, one out.
 * Another implementation is a program that does the same (tests/kit/README.md).
 *
 * @module
 */
import { formatCode, loadWordlist, parseCode } from "../../lib/e2e/code.ts";
import { SenderHandshake, ViewerHandshake } from "../../lib/e2e/handshake.ts";
import { loadKem } from "../../lib/e2e/kem.ts";
import { deriveRoom } from "../../lib/e2e/link.ts";
import { ProtocolError } from "../../lib/e2e/suite.ts";
import { inspectBlob } from "../../lib/image/inspect.ts";
import type { Bytes } from "../../lib/protocol/bytes.ts";
import { parseControlMessage } from "../../lib/protocol/control.ts";
import { parseRepairMessage } from "../../lib/protocol/repair.ts";
import { parseClientMessage, parseServerMessage } from "../../lib/protocol/signaling.ts";
import { type Answer, linesOf, type Question } from "./kit.ts";

const PARSERS = {
  client: parseClientMessage,
  server: parseServerMessage,
  control: parseControlMessage,
  repair: parseRepairMessage,
} as const;

const REFUSED: Answer = { refused: true };

/** Answers every question of the kit, and keeps the one handshake that is under way. */
export class Ours {
  #next: ((message: Bytes) => Promise<Answer>) | null = null;

  /** The answer to one question. */
  async ask(question: Question): Promise<Answer> {
    switch (question.do) {
      case "message": {
        const value = PARSERS[question.kind](question.text);
        return value === null ? REFUSED : { value };
      }
      case "code": {
        const code = parseCode(question.text, await loadWordlist());
        return "reason" in code ? REFUSED : { value: formatCode(code) };
      }
      case "picture": {
        const info = await inspectBlob(new Blob([Uint8Array.fromBase64(question.file)]));
        if (!info.ok) return REFUSED;
        return { value: { type: info.type, width: info.width, height: info.height } };
      }
      case "handshake":
        return await this.#start(question.role, Uint8Array.fromHex(question.secret));
      case "receive": {
        const next = this.#next;
        this.#next = null;
        if (next === null) return REFUSED;
        try {
          return await next(Uint8Array.fromHex(question.bytes));
        } catch (error) {
          if (error instanceof ProtocolError) return REFUSED;
          throw error;
        }
      }
    }
  }

  async #start(role: "S" | "R", secret: Bytes): Promise<Answer> {
    const { rid: room, psk } = await deriveRoom(secret);
    const fingerprint = crypto.getRandomValues(new Uint8Array(32));
    const own = { fingerprint, kem: await loadKem() };
    if (role === "S") {
      const sender = await SenderHandshake.start({ link: { room, psk }, code: null, ...own });
      this.#next = async (m1) => {
        const m2 = await sender.receiveCommit(m1);
        this.#next = async (m3) => {
          await sender.receiveHello(m3);
          return { bytes: (await sender.confirm("v=0 offer")).toHex() };
        };
        return { bytes: m2.toHex() };
      };
      return {};
    }
    const viewer = await ViewerHandshake.start({ secret: { room, psk }, ...own });
    this.#next = async (m2) => {
      const m3 = await viewer.receiveHello(m2);
      this.#next = async (m4) => ({ value: (await viewer.receiveConfirmation(m4)).offer });
      return { bytes: m3.toHex() };
    };
    return { bytes: viewer.commit.toHex() };
  }
}

if (import.meta.main) {
  const ours = new Ours();
  for await (const line of linesOf(Deno.stdin.readable)) {
    const answer = `${JSON.stringify(await ours.ask(JSON.parse(line)))}\n`;
    await Deno.stdout.write(new TextEncoder().encode(answer));
  }
}
