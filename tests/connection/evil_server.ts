/**
 * A signaling server that is the attacker, for two connections without a network.
 *
 * @module
 */
import { createLinkSecret } from "../../lib/e2e/link.ts";
import type { Role } from "../../lib/e2e/transcript.ts";
import { type Bytes, fromBase64Url, toBase64Url } from "../../lib/protocol/bytes.ts";
import { until, withGlobals } from "../support/fake_time.ts";
import { withFakeRtc } from "./fake_rtc.ts";
import { FakeWebSocket } from "./fake_web_socket.ts";
import { Person } from "./person.ts";

/** Both sides' sockets end here. */
export class EvilServer {
  readonly #seats = new Map<Role, FakeWebSocket>();
  /** What the server turns each relayed message into. */
  relay: (message: Bytes, from: Role) => readonly Bytes[] = (message) => [message];
  readonly seen: [Role, number][] = [];

  /** Seats whoever connected last. */
  async seat(role: Role): Promise<void> {
    const before = FakeWebSocket.all.length;
    await until(
      () => FakeWebSocket.all.length > before || !this.#known(FakeWebSocket.all.at(-1)),
      "a side connected",
    );
    const socket = FakeWebSocket.last;
    this.#seats.set(role, socket);
    socket.open();
    const rtok = toBase64Url(new Uint8Array(32));
    if (role === "S") socket.hear({ t: "created", exp: 600, rtok });
    else socket.hear({ t: "joined", rtok });
    const send = socket.send.bind(socket);
    socket.send = (text) => {
      send(text);
      const sent: unknown = JSON.parse(text);
      if (typeof sent === "object" && sent !== null && "d" in sent && typeof sent.d === "string") {
        this.#relayed(role, sent.d);
      }
    };
  }

  introduce(): void {
    this.say("S", { t: "peer", up: true, by: "join" });
    this.say("R", { t: "peer", up: true, by: "join" });
  }

  say(role: Role, message: Parameters<FakeWebSocket["hear"]>[0]): void {
    this.#seats.get(role)?.hear(message);
  }

  inject(role: Role, message: Bytes): void {
    this.say(role, { t: "relay", d: toBase64Url(message) });
  }

  close(role: Role, code: number): void {
    this.#seats.get(role)?.closed(code);
  }

  #known(socket: FakeWebSocket | undefined): boolean {
    return socket === undefined || [...this.#seats.values()].includes(socket);
  }

  #relayed(from: Role, d: string): void {
    const message = fromBase64Url(d);
    if (message === null) throw new Error("Not base64url");
    this.seen.push([from, message[0] ?? -1]);
    const to = from === "S" ? "R" : "S";
    for (const item of this.relay(message, from)) this.inject(to, item);
  }
}

/** Runs `body` with two peers of one link, both seated there. */
export async function withEvilServer(
  body: (tools: { sender: Person; viewer: Person; server: EvilServer }) => Promise<void>,
  secrets: { s: Bytes; r: Bytes } | null = null,
): Promise<void> {
  using _rtc = withFakeRtc();
  FakeWebSocket.all = [];
  using _socket = withGlobals({ WebSocket: FakeWebSocket });
  const secret = createLinkSecret();
  using sender = new Person("S", secrets?.s ?? secret, "ws://evil");
  using viewer = new Person("R", secrets?.r ?? secret, "ws://evil");
  const server = new EvilServer();
  await sender.connection.start();
  await server.seat("S");
  await viewer.connection.start();
  await server.seat("R");
  await body({ sender, viewer, server });
}
