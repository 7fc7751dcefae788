import { CLOSE } from "../../lib/protocol/close_codes.ts";
import { assert, assertEquals } from "../support/assert.ts";

Deno.test("every close code may be sent by an application, and has one meaning", () => {
  const codes = Object.values(CLOSE);
  assertEquals(new Set(codes).size, codes.length);
  // A WebSocket of Deno refuses to send any other (RFC 6455 §7.4; 1012 by the server alone).
  for (const code of codes) {
    assert(code === 1000 || code === 1012 || (code >= 4000 && code <= 4999), String(code));
  }
});
