import { findObstacle, signalingServer } from "../../lib/device/environment.ts";
import { assertEquals } from "../support/assert.ts";
import { withGlobals } from "../support/fake_time.ts";

Deno.test("a browser that has everything meets no obstacle", () => {
  using _rtc = withGlobals({
    RTCPeerConnection: class {},
    OffscreenCanvas: class {},
    createImageBitmap() {},
  });
  assertEquals(findObstacle(), null);
});

Deno.test("a page without WebCrypto is insecure, whatever else is missing", () => {
  for (const crypto of [undefined, {}]) {
    using _crypto = withGlobals({ crypto });
    assertEquals(findObstacle(), "insecure");
  }
});

Deno.test("a browser without WebRTC is told so", () => {
  assertEquals(findObstacle(), "no_webrtc");
});

for (
  const [page, server] of [
    ["https://example.org/join", "wss://example.org"],
    ["http://localhost:3000/", "ws://localhost:3000"],
    ["https://example.org:8443/?a=b#1.secret", "wss://example.org:8443"],
    ["http://[::1]:3000/", "ws://[::1]:3000"],
  ] as const
) {
  Deno.test(`the server of ${page} is ${server}`, () => {
    const { protocol, host } = new URL(page);
    assertEquals(signalingServer({ ...globalThis.location, protocol, host }), server);
  });
}
