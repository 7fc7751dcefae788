/**
 * A hostile viewer against a sender's page. They get only the key that they requested in the right
 * state, and the sender's timeline never says anything untrue.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import type { Sender } from "../support/flow.ts";
import {
  assertCalm,
  assertStopped,
  type Attack,
  attackTest,
  closeStage,
  honestPicture,
  inLanes,
  tracesOf,
} from "./peer_stage.ts";

Deno.test.afterAll(closeStage);

type Said = Readonly<Record<string, unknown>>;

/** Sends these messages one after the other. */
async function say({ attacker }: Attack<Sender>, ...messages: readonly Said[]): Promise<void> {
  await attacker.evaluate(async (messages) => {
    for (const message of messages) await evil.say(message);
  }, messages);
}

/** Waits until the attacker has the whole picture, and confirms it as an honest viewer does. */
async function delivered(attack: Attack<Sender>): Promise<void> {
  await attack.attacker.evaluate(() => evil.hears("end"));
  await say(attack, { t: "got", n: 0 });
  await attack.victim.waitPhase("delivered");
}

/** How often the attacker was sent a key. */
function keys({ attacker }: Attack<Sender>): Promise<number> {
  return attacker.evaluate(() => evil.heard.filter(({ t }) => t === "key").length);
}

/** Fails if the timeline says that the picture arrived or that anybody opened or saw it. */
async function assertNothingClaimed({ victim }: Attack<Sender>): Promise<void> {
  const text = await victim.timeline();
  assertEquals(/pressed|screen|seen|reported|arrive/i.test(text), false, text);
  assertMatch(text, /not opened/i);
}

attackTest("the hostile peer's tools work: an honest viewer's messages arrive", async (stage) => {
  using attack = await stage.sender();
  const { victim } = attack;
  await delivered(attack);
  await say(attack, { t: "open", n: 0 });
  await attack.attacker.evaluate(() => evil.hears("key"));
  await say(attack, { t: "shown", n: 0 }, { t: "closed", n: 0, why: "user", ms: 0 });
  assertEquals(await victim.waitReason("ended"), "done");
  assertMatch(await victim.timeline(), /Closed by your friend/);
  assertEquals(await keys(attack), 1);
  await assertCalm(victim);
});

attackTest(
  "receipts for what did not happen yet end the session: no key, and nothing in the timeline",
  async (stage) => {
    const lies: readonly (readonly [when: "delivered" | "sent", said: Said])[] = [
      ["delivered", { t: "shown", n: 0 }],
      ["delivered", { t: "closed", n: 0, why: "timer", ms: 10_000 }],
      ["delivered", { t: "got", n: 0 }],
      ["delivered", { t: "got", n: 1 }],
      ["delivered", { t: "open", n: 1 }],
      ["delivered", { t: "shown", n: 19 }],
      ["delivered", { t: "closed", n: 7, why: "user", ms: 1 }],
      ["delivered", { t: "abort", n: 1, code: "corrupt" }],
      ["sent", { t: "open", n: 0 }],
      ["sent", { t: "shown", n: 0 }],
      ["sent", { t: "closed", n: 0, why: "user", ms: 1 }],
    ];
    await inLanes(lies, async ([when, said]) => {
      using attack = await stage.sender();
      if (when === "delivered") await delivered(attack);
      else await attack.attacker.evaluate(() => evil.hears("end"));
      await say(attack, said);
      await assertStopped(attack.victim);
      await assertNothingClaimed(attack);
      assertEquals(await keys(attack), 0);
    });
  },
);

attackTest(
  "a receipt or `open` before the last byte was sent ends the session, and no key is sent",
  async (stage) => {
    for (const t of ["got", "open"]) {
      // The attacker can't be late, because the picture is never sent.
      using attack = await stage.sender({ stuck: true });
      await attack.attacker.evaluate(() => evil.hears("meta"));
      await say(attack, { t, n: 0 });
      await assertStopped(attack.victim);
      await assertNothingClaimed(attack);
      assertEquals(await keys(attack), 0);
      assertEquals(
        await attack.attacker.evaluate(() => evil.received),
        0,
        "the picture never went",
      );
    }
  },
);

attackTest(
  "a second wish to open ends the session: the key was sent once, the picture is unconfirmed",
  async (stage) => {
    await inLanes(["at once", "later"], async (when) => {
      using attack = await stage.sender();
      const { victim } = attack;
      await delivered(attack);
      await say(attack, { t: "open", n: 0 });
      if (when === "later") await victim.waitPhase("opened");
      await say(attack, { t: "open", n: 0 });
      await assertStopped(victim);
      assertEquals(await keys(attack), 1);
      assertMatch(await victim.timeline(), /unconfirmed/i);
    });
  },
);

attackTest(
  "reports that can't be true end the session as unconfirmed, and none of them is believed",
  async (stage) => {
    const closed = { t: "closed", n: 0, why: "user" };
    const reports: readonly (readonly Said[])[] = [
      [{ ...closed, ms: -1 }],
      [{ ...closed, ms: 1e12 }],
      [{ ...closed, ms: 1.5 }],
      [{ ...closed, why: "<b>seen</b>", ms: 1 }],
      [{ ...closed, why: "toString", ms: 1 }],
      // Seen for a while, but never shown.
      [{ ...closed, ms: 5_000 }],
      [{ t: "shown", n: 0 }, { t: "shown", n: 0 }],
      [{ t: "shown", n: 0 }, { t: "got", n: 0 }],
      [{ t: "shown", n: 0 }, { t: "abort", n: 0, code: "undecodable" }],
      // The viewer reports it as burned, but nobody burned it.
      [{ t: "shown", n: 0 }, { ...closed, why: "revoked", ms: 0 }],
    ];
    await inLanes(reports, async (said) => {
      using attack = await stage.sender();
      const { victim } = attack;
      await delivered(attack);
      await say(attack, { t: "open", n: 0 }, ...said);
      await assertStopped(victim);
      const text = await victim.timeline();
      assertMatch(text, /unconfirmed/i);
      assertEquals(/seen for|reported|burned/i.test(text), false, text);
    });
  },
);

attackTest(
  "a picture can't have been seen for longer than its key was out",
  async (stage) => {
    using attack = await stage.sender({ seconds: 0 });
    const { victim } = attack;
    await delivered(attack);
    await say(
      attack,
      { t: "open", n: 0 },
      { t: "shown", n: 0 },
      { t: "closed", n: 0, why: "user", ms: 86_400_000 },
    );
    await victim.waitPhase("closed");
    const [, seconds] =
      /Seen for (?:less than a second|(\d+) second)/.exec(await victim.timeline()) ??
        [];
    assert(Number(seconds ?? 0) < 60, await victim.timeline());
    assertEquals(await victim.waitReason("ended"), "done");
    await assertCalm(victim);
  },
);

attackTest(
  "what crosses the end of a picture does not change what is reported about it",
  async (stage) => {
    using attack = await stage.sender({ keep: true });
    const { victim } = attack;
    await delivered(attack);
    await say(
      attack,
      { t: "open", n: 0 },
      { t: "shown", n: 0 },
      { t: "closed", n: 0, why: "user", ms: 0 },
      { t: "closed", n: 0, why: "timer", ms: 60_000 },
      { t: "shown", n: 0 },
      { t: "open", n: 0 },
      { t: "abort", n: 0, code: "corrupt" },
    );
    await victim.waitPhase("closed");
    await say(attack, { t: "bye", why: "left" }, { t: "bye", why: "left" });
    assertEquals(await victim.waitReason("ended"), "peer_left");
    const text = await victim.timeline();
    assertMatch(text, /Closed by your friend/);
    assertEquals(/time ran out|60 s|arrive/.test(text), false, text);
    assertEquals(await keys(attack), 1);
    await assertCalm(victim);
  },
);

attackTest(
  "a burned picture's key is never sent, whatever messages follow",
  async (stage) => {
    using attack = await stage.sender();
    const { attacker, victim } = attack;
    await delivered(attack);
    await victim.burn();
    await attacker.evaluate(() => evil.hears("revoke"));
    await say(attack, { t: "open", n: 0 }, { t: "shown", n: 0 });
    assertEquals(await victim.waitReason("ended"), "burned");
    await attacker.evaluate(() => evil.end());
    assertEquals(await keys(attack), 0);
    assertMatch(await victim.timeline(), /burned before it was opened/i);
    await assertCalm(victim);
  },
);

attackTest(
  "what only a sender may say ends the session when a viewer says it",
  async (stage) => {
    const key = "A".repeat(43);
    const bytes = await honestPicture();
    const messages: readonly Said[] = [
      { t: "keep", on: true },
      { t: "meta" },
      { t: "key", n: 0, key },
      { t: "end", n: 0, digest: key },
      { t: "revoke", n: 0 },
      { t: "extend", n: 0, seconds: 60 },
      { t: "abort", code: "protocol" },
    ];
    await inLanes(messages, async (message) => {
      using attack = await stage.sender();
      await delivered(attack);
      await attack.attacker.evaluate(
        async (message, bytes) =>
          await evil.say(message.t === "meta" ? (await evil.pack({ bytes })).meta : message),
        message,
        bytes,
      );
      await assertStopped(attack.victim);
      await assertNothingClaimed(attack);
      assertEquals(await keys(attack), 0);
    });
  },
);

attackTest(
  "chunks to a sender who did not ask for any end the session after 256",
  async (stage) => {
    using attack = await stage.sender();
    await delivered(attack);
    await attack.attacker.evaluate(async () => {
      const record = new Uint8Array(65_536);
      record[0] = 0x21;
      for (let i = 0; i < 300; i++) await evil.raw("files", record);
    });
    await assertStopped(attack.victim);
    await assertNothingClaimed(attack);
  },
);

attackTest(
  "10,000 wishes for more time change nothing, and the picture can still be shown",
  async (stage) => {
    using attack = await stage.sender();
    const { attacker, victim } = attack;
    await delivered(attack);
    await attacker.evaluate(async () => {
      for (let i = 0; i < 10_000; i++) await evil.say({ t: "more", n: 0 });
      await evil.say({ t: "open", n: 0 });
      await evil.hears("key");
      await evil.say({ t: "shown", n: 0 });
      await evil.say({ t: "closed", n: 0, why: "user", ms: 0 });
    });
    assertEquals(await victim.waitReason("ended"), "done");
    const lines = (await victim.timeline()).length;
    assert(lines < 1_000, `${lines} characters of timeline`);
    await assertCalm(victim);
  },
);

attackTest("a request for more time for an unknown picture ends the session", async (stage) => {
  using attack = await stage.sender();
  await delivered(attack);
  await attack.attacker.evaluate(async () => await evil.say({ t: "more", n: 7 }));
  assertEquals(await attack.victim.waitReason("ended"), "protocol");
});

attackTest(
  "a control record that is not exactly the next one ends the sender's session too",
  async (stage) => {
    await inLanes(
      ["repeated", "reflected", "text", "garbage", "256 KiB", "not padded"] as const,
      async (kind) => {
        using attack = await stage.sender();
        await delivered(attack);
        await attack.attacker.evaluate(async (kind) => {
          switch (kind) {
            case "repeated":
              return await evil.repeat();
            case "reflected":
              return await evil.reflect();
            case "text":
              return await evil.raw("control", `{"t":"open","n":0}`);
            case "garbage":
              return await evil.raw("control", crypto.getRandomValues(new Uint8Array(280)));
            case "256 KiB":
              return await evil.raw("files", new Uint8Array(262_144));
            case "not padded":
              return await evil.sayText(`{"t":"open","n":0}`, 1);
          }
        }, kind);
        await assertStopped(attack.victim);
        await assertNothingClaimed(attack);
        assertEquals(await keys(attack), 0);
      },
    );
  },
);

attackTest(
  "a binding that is not the other side's own ends the session before anything is announced",
  async (stage) => {
    const bindings = ["wrong", "text", "reflected", "short", "late", "behind"] as const;
    await inLanes(bindings, async (binding) => {
      using attack = await stage.sender({ binding });
      const { attacker, victim } = attack;
      assertEquals(await victim.waitReason("failed"), "verification");
      await assertCalm(victim);
      assertMatch(await victim.text(), /keys don’t match/);
      assertEquals((await tracesOf(victim)).sent, 1, "it says nothing but its own binding");
      const got = await attacker.evaluate(() => [evil.heard.length, evil.received]);
      assertEquals(got, [0, 0]);
    });
  },
);

attackTest(
  "a binding that is not the sender's own ends the viewer's session as well",
  async (stage) => {
    await inLanes(["wrong", "text", "reflected", "late"] as const, async (binding) => {
      using attack = await stage.viewer(binding);
      const { attacker, victim } = attack;
      await attacker.evaluate(
        async (bytes) => await evil.send(await evil.pack({ bytes })),
        await honestPicture(),
      );
      assertEquals(await victim.waitReason("failed"), "verification");
      await assertCalm(victim);
      assertEquals((await victim.phases()).includes("connected"), false);
    });
  },
);
