import { CLOSE, closeReason } from "../../lib/protocol/close_codes.ts";
import { assert, assertEquals } from "../support/assert.ts";

Deno.test("every close code is one that an application may send, and means one thing", () => {
  const codes = Object.values(CLOSE);
  assertEquals(new Set(codes).size, codes.length);
  // A WebSocket of Deno refuses to send any other (RFC 6455 §7.4; 1012 by the server alone).
  for (const code of codes) {
    assert(code === 1000 || code === 1012 || (code >= 4000 && code <= 4999), String(code));
  }
});

Deno.test("closeReason() finds each name of the table, and null for a code that is not there", () => {
  for (const [name, code] of Object.entries(CLOSE)) assertEquals<unknown>(closeReason(code), name);
  for (const code of [0, 1001, 1005, 1006, 3999, 4999, NaN]) assertEquals(closeReason(code), null);
});
