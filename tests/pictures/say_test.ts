import { say } from "../../lib/pictures/say.ts";
import type { ControlMessage } from "../../lib/protocol/control.ts";
import { STEADY } from "../connection/keys.ts";
import { linkPair } from "../connection/link_pair.ts";
import { assertEquals } from "../support/assert.ts";
import { settle, until } from "../support/fake_time.ts";

Deno.test("what is said arrives; without a link nothing fails", async () => {
  const { s, r } = await linkPair();
  const heard: ControlMessage[] = [];
  r.link.listen({
    ...STEADY,
    onControl: ({ message }) => void heard.push(message),
    onRecord: () => {},
    onEnd: () => {},
  });
  say(s.link, { t: "keep", on: true });
  await until(() => heard.length === 1, "it arrived");
  assertEquals(heard, [{ t: "keep", on: true }]);
  say(null, { t: "keep", on: true });
  s.link.drop();
  say(s.link, { t: "keep", on: false });
  await settle(20);
  assertEquals(heard.length, 1);
});
