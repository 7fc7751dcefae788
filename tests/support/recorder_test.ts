import { Buffer } from "node:buffer";
import { brotliCompressSync } from "node:zlib";
import { assert, assertEquals, assertThrows } from "./assert.ts";
import { clientFrame, Recorder, understand } from "./recorder.ts";
import { latin1, latin1Bytes } from "./search.ts";

const UPGRADE = latin1Bytes("GET /ws/x HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n");
const UPGRADED = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n";

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function texts(client: Uint8Array, server: Uint8Array): string[] {
  return understand([{ client, server }]).parts.map(({ bytes }) => latin1(bytes)).slice(2);
}

Deno.test("the recorder reads a server's requests, answers and messages, both ways", async () => {
  const ended = Promise.withResolvers<void>();
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    if (request.headers.get("upgrade") === null) {
      const stream = new Blob(["a chunked answer"]).stream();
      return new Response(stream, { headers: { "x-told": "yes" } });
    }
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onmessage = ({ data }) => socket.send(`heard ${data.length}`);
    socket.onclose = () => ended.resolve();
    return response;
  });
  using recorder = new Recorder(server.addr.port);
  const posted = await fetch(`${recorder.url}/path?query`, { method: "POST", body: "a body" });
  assertEquals(await posted.text(), "a chunked answer");
  const socket = new WebSocket(`${recorder.url}/ws/room`);
  const heard = Promise.withResolvers<void>();
  socket.onopen = () => socket.send("x".repeat(70_000));
  socket.onmessage = () => heard.resolve();
  await heard.promise;
  socket.close(1000, "a farewell");
  await ended.promise;

  const { exchanges, parts } = understand(recorder.connections);
  assertEquals(exchanges.map(({ method, target }) => `${method} ${target}`), [
    "POST /path?query",
    "GET /ws/room",
  ]);
  assert(/^x-told: yes\r$/m.test(exchanges[0]?.response ?? ""), exchanges[0]?.response);
  assertEquals(latin1(exchanges[0]?.responseBody ?? new Uint8Array()), "a chunked answer");
  const all = parts.map(({ bytes }) => latin1(bytes));
  for (const text of ["a body", "x".repeat(70_000), "heard 70000"]) assert(all.includes(text));
  assert(all.some((text) => text.endsWith("a farewell")), all.slice(4).join("\n"));
});

Deno.test("a message in fragments is put together, around what comes between them", () => {
  const client = joined(
    UPGRADE,
    clientFrame(latin1Bytes("sec"), { final: false }),
    clientFrame(latin1Bytes("are you there"), { opcode: 9 }),
    clientFrame(latin1Bytes("ret"), { opcode: 0 }),
  );
  assertEquals(texts(client, latin1Bytes(`${UPGRADED}\r\n`)), ["are you there", "secret"]);
});

Deno.test("what breaks off is there as far as it came", () => {
  const whole = latin1Bytes(`${UPGRADED}\r\n`);
  const fragment = clientFrame(latin1Bytes("half of it"), { final: false });
  assertEquals(texts(joined(UPGRADE, fragment), whole), ["half of it"]);
  const server = joined(whole, Uint8Array.of(0x81, 9), latin1Bytes("some"));
  assertEquals(texts(UPGRADE, server), ["\x81\x09some"]);
  const { parts } = understand([{ client: latin1Bytes("GET /half"), server: new Uint8Array() }]);
  assertEquals(parts.map(({ bytes }) => latin1(bytes)), ["GET /half"]);
});

Deno.test("compressed answers are read, compressed messages are an error and not silence", () => {
  const request = latin1Bytes("GET / HTTP/1.1\r\n\r\n");
  const body = brotliCompressSync("the page");
  const head = `HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: ${body.length}\r\n\r\n`;
  const server = joined(latin1Bytes(head), body);
  const [exchange] = understand([{ client: request, server }]).exchanges;
  assertEquals(latin1(exchange?.responseBody ?? new Uint8Array()), "the page");

  const extended = `${UPGRADED}Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n`;
  assertThrows(() => texts(UPGRADE, latin1Bytes(extended)), SyntaxError);
  const frame = clientFrame(latin1Bytes("squeezed"), { opcode: 0x41 });
  assertThrows(() => texts(joined(UPGRADE, frame), latin1Bytes(`${UPGRADED}\r\n`)), SyntaxError);
});
