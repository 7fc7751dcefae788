import { Connection } from "../../lib/connection/connection.ts";
import { createLinkSecret } from "../../lib/e2e/link.ts";
import { toBase64Url } from "../../lib/protocol/bytes.ts";
import { MAX_CODE_GUESSES } from "../../lib/protocol/limits.ts";
import { assertEquals } from "../support/assert.ts";
import { until, withGlobals } from "../support/fake_time.ts";
import { withFakeRtc } from "./fake_rtc.ts";
import { FakeWebSocket } from "./fake_web_socket.ts";

Deno.test("the last failed guess withdraws the code before its visitor is dismissed", async () => {
  using _rtc = withFakeRtc();
  FakeWebSocket.all = [];
  using _socket = withGlobals({ WebSocket: FakeWebSocket });
  const codes: (string | null)[] = [];
  let turnedAway = 0;
  const fail = () => {
    throw new Error("The session ended");
  };
  const sender = new Connection({
    role: "S",
    secret: createLinkSecret(),
    server: "ws://server",
    handlers: {
      onRoute() {},
      onReplaced: () => {},
      onSeated: () => {},
      onContact: () => {},
      onPeer: () => {},
      onCode: (code) => void codes.push(code),
      onTurnedAway: () => void turnedAway++,
      onBound: fail,
      onFailed: fail,
    },
  });
  await sender.start();
  const socket = FakeWebSocket.last;
  socket.open();
  const rtok = toBase64Url(new Uint8Array(32));
  socket.hear({ t: "created", exp: 600, rtok, code: "4821" });
  await until(() => codes.length === 1, "there is a code");
  socket.sent.length = 0;
  for (let i = 0; i < MAX_CODE_GUESSES; i++) {
    socket.hear({ t: "peer", up: true, by: "join" });
    // Not canonical base64url, which no honest viewer sends.
    socket.hear({ t: "relay", d: "AB" });
    await until(() => turnedAway === i + 1, "the visitor was turned away");
  }
  const said = ["dismiss", "dismiss", "withdraw", "dismiss"];
  assertEquals(socket.sent, said.map((t) => ({ t })));
  assertEquals(codes.at(-1), null);
  sender.end();
});
