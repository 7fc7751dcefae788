import { SenderModel } from "../../lib/pages/sender_model.ts";
import { Session } from "../../lib/pages/session.ts";
import { ImageError } from "../../lib/image/errors.ts";
import { parseFragment } from "../../lib/e2e/link.ts";
import { withFakeRtc } from "../connection/fake_rtc.ts";
import { Lobby } from "../connection/lobby.ts";
import { svg } from "../support/image_bytes.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";
import { until, withGlobals } from "../support/fake_time.ts";
import { pageAt } from "./page.ts";
import { smallPng } from "../pictures/pictures.ts";

function png(name = "a.png"): File {
  return new File([smallPng()], name);
}

function test(name: string, body: (model: SenderModel, lobby: Lobby) => Promise<void>): void {
  Deno.test(name, async () => {
    using _rtc = withFakeRtc();
    await using lobby = new Lobby();
    using _page = withGlobals(pageAt("https://example.org/", lobby.url));
    const model = new SenderModel("/workers/picture_worker.js");
    try {
      await body(model, lobby);
    } finally {
      model.reset();
      await until(() => lobby.rooms === 0, "the room is gone");
    }
  });
}

async function waiting(model: SenderModel): Promise<void> {
  await model.choose([png()]);
  await until(() => model.phase.value === "waiting", "somebody may come");
}

test(
  "the first good picture makes a complete link, and takes the seat for it",
  async (model, lobby) => {
    assertEquals([model.phase.value, model.link.value], ["idle", null]);
    await waiting(model);
    const link = model.link.value ?? "";
    assert(link.startsWith("https://example.org/join#1."), link);
    assertEquals([parseFragment(new URL(link).hash)?.length, lobby.rooms], [32, 1]);
  },
);

test(
  "a wrong file fails, makes no link, and a good one can be chosen instead",
  async (model, lobby) => {
    await model.choose([new File([new Uint8Array(svg())], "a.svg")]);
    assertEquals([model.phase.value, model.reason.value], ["failed", "svg"]);
    assertEquals([model.link.value, lobby.rooms], [null, 0]);
    await waiting(model);
    assertEquals(model.reason.value, null);
  },
);

test("the 21st picture is refused, and the 20 stay", async (model) => {
  await model.choose(Array.from({ length: 21 }, () => png()));
  assertEquals(model.picker.problems.value, [{ reason: "too_many", name: "a.png" }]);
  assertEquals(model.session.value?.outbox.pictures.value.length, 20);
});

test("a second choice joins the existing session", async (model) => {
  await waiting(model);
  const { value: link } = model.link;
  await model.choose([png("b.png")]);
  assertEquals(model.session.value?.outbox.pictures.value.length, 2);
  assertEquals(model.link.value, link);
});

test("a choice that fails unexpectedly does not keep the session from ending", async (model) => {
  await waiting(model);
  const { postponeEnd } = Session.prototype;
  let holds = 0;
  Session.prototype.postponeEnd = function () {
    holds++;
    const release = postponeEnd.call(this);
    return () => {
      holds--;
      release();
    };
  };
  try {
    const broken = Object.defineProperty(png(), "name", {
      get() {
        throw new RangeError("unforeseen");
      },
    });
    await assertRejects(() => model.choose([broken]), RangeError);
    assertEquals(holds, 0);
  } finally {
    Session.prototype.postponeEnd = postponeEnd;
  }
});

test("the chosen duration applies to waiting pictures as well", async (model) => {
  await waiting(model);
  model.setRules({ seconds: 30 });
  const pictures = model.session.value?.outbox.pictures.value ?? [];
  assertEquals(pictures.map(({ rules }) => rules.seconds), [30]);
});

test("burning removes the link, and the room from the server", async (model, lobby) => {
  await waiting(model);
  model.session.value?.burn();
  await until(() => lobby.rooms === 0, "the room is gone");
  assertEquals([model.phase.value, model.reason.value, model.link.value], [
    "ended",
    "burned",
    null,
  ]);
  assertEquals(model.unseen, []);
});

test("what nobody has seen can be offered again, under a new link", async (model) => {
  await waiting(model);
  const { value: old } = model.link;
  model.session.value?.leave();
  assertEquals([model.phase.value, model.unseen.length], ["ended", 1]);
  model.again();
  await until(() => model.phase.value === "waiting", "somebody may come");
  assert(model.link.value !== null && model.link.value !== old);
  assertEquals(model.session.value?.outbox.pictures.value.length, 1);
});

test("back at the start nothing is kept", async (model) => {
  await waiting(model);
  model.reset();
  assertEquals([model.phase.value, model.link.value, model.session.value], ["idle", null, null]);
});

Deno.test("a browser without WebRTC fails at once, and no file is read", async () => {
  using _page = withGlobals(pageAt("https://example.org/", "ws://127.0.0.1:9"));
  const model = new SenderModel("/workers/picture_worker.js");
  await model.choose([png()]);
  assertEquals([model.phase.value, model.reason.value], ["failed", "no_webrtc"]);
  assertEquals(model.session.value, null);
});

/** The next picture is prepared when a test allows it; by then the model has it. */
function holdBack(model: SenderModel) {
  const gate = Promise.withResolvers<void>();
  const { picker } = model;
  const prepare = picker.prepare.bind(picker);
  picker.prepare = async (...args) => {
    picker.prepare = prepare;
    await gate.promise;
    return await prepare(...args);
  };
  return gate;
}

test("the link exists before the picture is prepared, which is sent later", async (model) => {
  const gate = holdBack(model);
  const choosing = model.choose([png()]);
  await until(() => model.phase.value === "waiting", "somebody may come");
  assert(model.link.value !== null);
  const pictures = () => model.session.value?.outbox.pictures.value ?? [];
  assertEquals(pictures().map(({ prepared, state }) => [prepared, state.at]), [[null, "queued"]]);
  gate.resolve();
  await choosing;
  assertEquals(pictures().map(({ prepared }) => prepared?.type), ["image/png"]);
});

test(
  "a picture that fails after its link was shown takes the link along; the reason stays",
  async (model, lobby) => {
    const gate = holdBack(model);
    const choosing = model.choose([png("broken.png")]);
    await until(() => model.phase.value === "waiting", "somebody may come");
    gate.reject(new ImageError("undecodable"));
    await choosing;
    assertEquals([model.phase.value, model.reason.value], ["failed", "undecodable"]);
    assertEquals(model.picker.problems.value, [{ reason: "undecodable", name: "broken.png" }]);
    assertEquals([model.session.value, model.link.value, model.linkGone.value], [null, null, true]);
    await until(() => lobby.rooms === 0, "the room is gone");
    await waiting(model);
    assertEquals(model.linkGone.value, false);
  },
);

test("an existing link stays, whatever is chosen then", async (model) => {
  await waiting(model);
  const [picture] = model.session.value?.outbox.pictures.value ?? [];
  model.remove(picture?.id ?? -1);
  const { value: link } = model.link;
  const gate = holdBack(model);
  gate.reject(new ImageError("undecodable"));
  await model.choose([png("broken.png")]);
  assertEquals([model.link.value, model.phase.value], [link, "waiting"]);
  assertEquals(model.picker.problems.value.length, 1);
});

test("what is still being prepared on leaving can be offered again", async (model) => {
  const gate = holdBack(model);
  const choosing = model.choose([png()]);
  await until(() => model.phase.value === "waiting", "somebody may come");
  model.session.value?.leave();
  assertEquals(model.unseen.length, 1);
  await model.again();
  await until(() => model.phase.value === "waiting", "somebody may come");
  gate.resolve();
  await choosing;
  const pictures = model.session.value?.outbox.pictures.value ?? [];
  assertEquals(pictures.map(({ prepared }) => prepared?.type), ["image/png"]);
});

test("the only picture can be removed and put back, under the same link", async (model, lobby) => {
  await waiting(model);
  const { value: link } = model.link;
  const only = () => model.session.value?.outbox.pictures.value ?? [];
  model.change(only()[0]?.id ?? -1, { caption: "the lake" });
  model.remove(only()[0]?.id ?? -1);
  assertEquals([only().length, model.removed.value?.name, model.waits], [0, "a.png", false]);
  assertEquals([model.link.value, lobby.rooms], [link, 1]);
  model.undoRemove();
  assertEquals(only().map(({ name, caption, state }) => [name, caption, state.at]), [
    ["a.png", "the lake", "queued"],
  ]);
  assertEquals([model.removed.value, model.waits], [null, true]);
});

test("one of several is put back in its place", async (model) => {
  await waiting(model);
  await model.choose([png("b.png"), png("c.png")]);
  const pictures = () => model.session.value?.outbox.pictures.value ?? [];
  model.remove(pictures()[0]?.id ?? -1);
  model.undoRemove();
  assertEquals(pictures().map(({ name }) => name), ["a.png", "b.png", "c.png"]);
});

test("what was removed is forgotten with the next choice", async (model) => {
  await waiting(model);
  const [picture] = model.session.value?.outbox.pictures.value ?? [];
  model.remove(picture?.id ?? -1);
  await model.choose([png("b.png")]);
  assertEquals(model.removed.value, null);
});
