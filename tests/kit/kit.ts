/**
 * The test kit: asks an implementation what it makes of bad inputs, and compares the answers with
 * what has to happen. tests/kit/README.md says how to use it with another implementation.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { SenderHandshake, ViewerHandshake } from "../../lib/e2e/handshake.ts";
import { loadKem } from "../../lib/e2e/kem.ts";
import { deriveRoom } from "../../lib/e2e/link.ts";
import { type Bytes, concat } from "../../lib/protocol/bytes.ts";

/** What an implementation is asked. */
export type Question =
  | {
    readonly do: "message";
    readonly kind: "client" | "server" | "control" | "repair";
    readonly text: string;
  }
  | { readonly do: "code"; readonly text: string }
  /** `file` in base64. */
  | { readonly do: "picture"; readonly file: string }
  /** Begins a handshake by a link, whose secret is given in hex; R answers with M1. */
  | { readonly do: "handshake"; readonly role: "S" | "R"; readonly secret: string }
  /** The other side's next message, in hex. */
  | { readonly do: "receive"; readonly bytes: string };

/** What it answers. */
export interface Answer {
  readonly refused?: true;
  /** What it understood. */
  readonly value?: unknown;
  /** Its next message, in hex. */
  readonly bytes?: string;
}

/** An implementation. */
export interface Implementation {
  ask(question: Question): Promise<Answer>;
}

/** Result of one case; `problem` is `null` if the right thing happened. */
export interface Result {
  readonly name: string;
  readonly problem: string | null;
}

interface Case {
  readonly name: string;
  readonly refuse?: true;
}

interface MessageCase extends Case {
  readonly kind: "client" | "server" | "control" | "repair";
  readonly input: string;
  readonly accept?: unknown;
}

interface CodeCase extends Case {
  readonly input: string;
  readonly code?: string;
}

interface PictureCase extends Case {
  readonly file: string;
  readonly accept?: unknown;
}

/** Changes of one message; `set` replaces bytes from an offset on. */
type Change =
  | { readonly set: number; readonly to: string }
  | { readonly flip: number }
  | { readonly cut: number }
  | { readonly append: string }
  /** An earlier message in the place of this one. */
  | { readonly replay: string };

interface HandshakeCase {
  readonly name: string;
  readonly role: "S" | "R";
  readonly change: Readonly<Record<string, readonly Change[]>>;
  readonly refuse?: string;
  readonly complete?: true;
}

const FOLDER = new URL(".", import.meta.url);

async function casesOf<T>(name: string): Promise<readonly T[]> {
  return JSON.parse(await Deno.readTextFile(new URL(`${name}.json`, FOLDER))).cases;
}

/** Runs all cases, in order. */
export async function* runKit(tested: Implementation): AsyncGenerator<Result> {
  for (const { name, kind, input, accept } of await casesOf<MessageCase>("messages")) {
    const text = expand(input);
    const answer = await tested.ask({ do: "message", kind, text });
    yield { name: `${kind}: ${name}`, problem: compare(answer, accept) };
  }
  for (const { name, input, code } of await casesOf<CodeCase>("codes")) {
    const answer = await tested.ask({ do: "code", text: input });
    yield { name: `code: ${name}`, problem: compare(answer, code) };
  }
  for (const { name, file, accept } of await casesOf<PictureCase>("pictures")) {
    const answer = await tested.ask({ do: "picture", file });
    yield { name: `picture: ${name}`, problem: compare(answer, accept) };
  }
  for (const each of await casesOf<HandshakeCase>("handshakes")) {
    const stopped = await shake(tested, each);
    const right = each.refuse ?? null;
    const problem = stopped === right
      ? null
      : `stopped at ${stopped ?? "no message"}, not at ${right ?? "none"}`;
    yield { name: `handshake: ${each.name}`, problem };
  }
}

/** `{{A*3}}` is `AAA`. */
function expand(input: string): string {
  return input.replace(/\{\{(.)\*(\d+)\}\}/g, (_, letter: string, times: string) => {
    return letter.repeat(Number(times));
  });
}

/** What is wrong with an answer; `undefined` as the right value: it has to be refused. */
function compare(answer: Answer, right: unknown): string | null {
  if (right === undefined) {
    return answer.refused === true ? null : `accepted as ${JSON.stringify(answer.value)}`;
  }
  if (answer.refused === true) return "refused";
  try {
    assertEquals(answer.value, right);
    return null;
  } catch {
    return `understood as ${JSON.stringify(answer.value)}`;
  }
}

/** Runs one handshake. Returns the message at which either side stopped; `null` if none did. */
async function shake(tested: Implementation, { role, change }: HandshakeCase) {
  const secret = crypto.getRandomValues(new Uint8Array(32));
  const own = change["secret"] === undefined ? secret : apply(secret, change["secret"], new Map());
  const { rid: room, psk } = await deriveRoom(own);
  const fingerprint = crypto.getRandomValues(new Uint8Array(32));
  const parts = { fingerprint, kem: await loadKem() };
  const begun = await tested.ask({ do: "handshake", role, secret: secret.toHex() });
  const sent = new Map<string, Bytes>();
  const pass = async (name: string, message: Bytes): Promise<Answer> => {
    const changed = apply(message, change[name] ?? [], sent);
    sent.set(name, message);
    return await tested.ask({ do: "receive", bytes: changed.toHex() });
  };
  const keep = (name: string, answer: Answer): Bytes => {
    const bytes = Uint8Array.fromHex(answer.bytes ?? "");
    sent.set(name, bytes);
    return bytes;
  };
  if (role === "S") {
    const viewer = await ViewerHandshake.start({ secret: { room, psk }, ...parts });
    const m2 = await pass("M1", viewer.commit);
    if (m2.refused) return "M1";
    const m3 = await attempt(viewer.receiveHello(keep("M2", m2)));
    if (m3 === null) return "M2";
    const m4 = await pass("M3", m3);
    if (m4.refused) return "M3";
    return await attempt(viewer.receiveConfirmation(keep("M4", m4))) === null ? "M4" : null;
  }
  const sender = await SenderHandshake.start({ link: { room, psk }, code: null, ...parts });
  const m2 = await attempt(sender.receiveCommit(keep("M1", begun)));
  if (m2 === null) return "M1";
  const m3 = await pass("M2", m2);
  if (m3.refused) return "M2";
  if (await attempt(sender.receiveHello(keep("M3", m3))) === null) return "M3";
  const last = await pass("M4", await sender.confirm("v=0 offer"));
  return last.refused || last.value !== "v=0 offer" ? "M4" : null;
}

/** `null` if the kit's own side refuses. */
async function attempt<T>(step: Promise<T>): Promise<T | null> {
  return await step.catch(() => null);
}

function apply(
  message: Bytes,
  changes: readonly Change[],
  sent: ReadonlyMap<string, Bytes>,
): Bytes {
  let bytes = message.slice();
  for (const change of changes) {
    if ("cut" in change) bytes = bytes.slice(0, Math.max(0, bytes.length - change.cut));
    else if ("append" in change) bytes = concat(bytes, Uint8Array.fromHex(change.append));
    else if ("set" in change) bytes.set(Uint8Array.fromHex(change.to), change.set);
    else if ("replay" in change) bytes = sent.get(change.replay)?.slice() ?? bytes;
    else {
      const at = change.flip < 0 ? bytes.length + change.flip : change.flip;
      bytes[at] = (bytes[at] ?? 0) ^ 1;
    }
  }
  return bytes;
}

/** The lines of a stream of bytes. */
export async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    yield* lines.filter((line) => line !== "");
  }
}
