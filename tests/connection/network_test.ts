/**
 * What browsers report when a device changes networks.
 *
 * @module
 */
import { whenMoved } from "../../lib/connection/network.ts";
import { assertEquals } from "../support/assert.ts";
import { withGlobals } from "../support/fake_time.ts";

Deno.test("whenMoved() reports another kind of network or its return, not its speed", () => {
  const connection = Object.assign(new EventTarget(), { type: "wifi" });
  using _navigator = withGlobals({ navigator: { connection } });
  const owner = new AbortController();
  let moves = 0;
  whenMoved(() => moves++, owner.signal);
  const counts = ["wifi", "cellular", "cellular", "none", "wifi"].map((type) => {
    connection.type = type;
    connection.dispatchEvent(new Event("change"));
    return moves;
  });
  assertEquals(counts, [0, 1, 1, 1, 2]);
  globalThis.dispatchEvent(new Event("online"));
  assertEquals(moves, 3);
  owner.abort();
  connection.type = "cellular";
  connection.dispatchEvent(new Event("change"));
  globalThis.dispatchEvent(new Event("online"));
  assertEquals(moves, 3);
});

Deno.test("whenMoved() does nothing in a browser that does not know its network", () => {
  for (const navigator of [{}, { connection: undefined }]) {
    using _navigator = withGlobals({ navigator });
    const owner = new AbortController();
    whenMoved(() => {}, owner.signal);
    owner.abort();
  }
});
