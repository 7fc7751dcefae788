import { createLinkSecret, deriveRoom, formatLink, parseFragment } from "../../lib/e2e/link.ts";
import { assert, assertEquals } from "../support/assert.ts";

Deno.test("a link keeps its secret behind the # and reads back", () => {
  const secret = createLinkSecret();
  const link = new URL(formatLink("https://example.org", secret));
  assertEquals(link.pathname, "/join");
  assertEquals(link.search, "");
  assertEquals(parseFragment(link.hash), secret);
});

Deno.test("a link that is truncated, padded or not canonical is refused", () => {
  const good = new URL(formatLink("https://example.org", createLinkSecret())).hash;
  for (
    const bad of [
      "",
      "#",
      "#1.",
      good.slice(0, -1),
      good + "A",
      good + "=",
      good.replace("#1.", "#2."),
      good.replace("#1.", "#1"),
      good.slice(0, -1) + "B", // 43 characters carry 258 bits: the last two have to be zero
      good.slice(0, 10) + " " + good.slice(11),
    ]
  ) assertEquals(parseFragment(bad), null, bad);
});

Deno.test("links never share a room", async () => {
  const a = await deriveRoom(createLinkSecret());
  const b = await deriveRoom(createLinkSecret());
  assert(a.rid.toString() !== b.rid.toString());
  assertEquals([a.rid.length, a.jtok.length, a.psk.length], [16, 16, 32]);
});
