import { ViewerModel } from "../../lib/pages/viewer_model.ts";
import { createLinkSecret, formatLink } from "../../lib/e2e/link.ts";
import { withFakeRtc } from "../connection/fake_rtc.ts";
import { FakeWebSocket } from "../connection/fake_web_socket.ts";
import { Lobby } from "../connection/lobby.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { settle, until, withGlobals } from "../support/fake_time.ts";
import { pageAt } from "./page.ts";

const NOWHERE = "ws://127.0.0.1:9";

function link(): string {
  return formatLink("https://example.org", createLinkSecret());
}

Deno.test("a link is removed from the address bar at once; pressing connects", async () => {
  using _rtc = withFakeRtc();
  FakeWebSocket.all = [];
  const replaced: string[] = [];
  const page = pageAt(link(), NOWHERE, replaced);
  using _page = withGlobals({ ...page, WebSocket: FakeWebSocket });
  const model = new ViewerModel("/workers/picture_worker.js");
  assertEquals([replaced, page.location.hash, model.phase.value], [["/join"], "", "idle"]);
  await settle(20);
  assertEquals(FakeWebSocket.all.length, 0);
  model.join();
  model.join();
  await until(() => FakeWebSocket.all.length > 0, "it connects");
  assertEquals([FakeWebSocket.all.length, model.phase.value], [1, "connecting"]);
  const [socket] = FakeWebSocket.all;
  assert(socket !== undefined && /\/ws\/[A-Za-z0-9_-]{22}$/.test(socket.url), socket?.url);
  model.session.value?.leave();
});

for (
  const [name, url, reason] of [
    ["that was cut", link().slice(0, -3), "bad_link"],
    ["of another version", link().replace("#1.", "#2."), "foreign_link"],
    ["with a letter that no link has", link().replace("#1.", "#1.ä"), "foreign_link"],
  ] as const
) {
  Deno.test(`a link ${name} is reported, and pressing does nothing`, () => {
    using _rtc = withFakeRtc();
    using _page = withGlobals(pageAt(url, NOWHERE));
    const model = new ViewerModel("/workers/picture_worker.js");
    model.join();
    assertEquals([model.phase.value, model.reason.value], ["failed", reason]);
    assertEquals([model.session.value, model.retryable], [null, false]);
  });
}

for (const fragment of ["", "#", "#content"]) {
  Deno.test(`the page with the fragment "${fragment}" asks for a code`, async () => {
    using _rtc = withFakeRtc();
    FakeWebSocket.all = [];
    const page = pageAt(`https://example.org/join${fragment}`, NOWHERE);
    using _page = withGlobals({ ...page, WebSocket: FakeWebSocket });
    const model = new ViewerModel("/workers/picture_worker.js");
    assertEquals([model.phase.value, model.by.value, model.reason.value], ["idle", "code", null]);

    await model.join();
    assertEquals([model.phase.value, model.reason.value], ["idle", "incomplete_code"]);
    model.typeCode("4821 cristal orbit lemon");
    assertEquals(model.reason.value, null);
    await model.join();
    assertEquals(model.codeProblem.value, { reason: "unknown_word", word: "cristal" });
    assertEquals(model.codeText.value, "4821 cristal orbit lemon");
    assertEquals(FakeWebSocket.all.length, 0);

    model.typeCode("4821 Crystal orbit lem");
    assertEquals(model.suggestions.value, ["lemon"]);
    model.complete("lemon");
    await Promise.all([model.join(), model.join()]);
    await until(() => FakeWebSocket.all.length > 0, "it connects");
    const [socket] = FakeWebSocket.all;
    assert(socket !== undefined && /\/ws\/4821$/.test(socket.url), socket?.url);
    assertEquals([FakeWebSocket.all.length, model.phase.value], [1, "connecting"]);
    model.session.value?.leave();
    assertEquals(model.codeText.value, "");
  });
}

Deno.test("a code that leads nowhere can be corrected: the input is kept", async () => {
  using _rtc = withFakeRtc();
  await using lobby = new Lobby();
  using _page = withGlobals(pageAt("https://example.org/join", lobby.url));
  const model = new ViewerModel("/workers/picture_worker.js");
  model.typeCode("4821-crystal-orbit-lemo");
  await model.join();
  await until(() => model.phase.value === "failed", "the viewer is refused");
  assertEquals([model.reason.value, model.asksForCode], ["refused", true]);
  assertEquals(model.codeText.value, "4821-crystal-orbit-lemo");
  assertEquals(model.suggestions.value, ["lemon"]);
  model.complete("lemon");
  assertEquals([model.phase.value, model.reason.value], ["idle", null]);
  assertEquals(model.codeText.value, "4821-crystal-orbit-lemon");
});

for (const why of ["lost", "deleted", "expired"] as const) {
  Deno.test(`a code whose room is ${why} can be corrected as well`, async () => {
    using _rtc = withFakeRtc();
    FakeWebSocket.all = [];
    const page = pageAt("https://example.org/join", NOWHERE);
    using _page = withGlobals({ ...page, WebSocket: FakeWebSocket });
    const model = new ViewerModel("/workers/picture_worker.js");
    model.typeCode("4821-crystal-orbit-lemon");
    await model.join();
    await until(() => FakeWebSocket.all.length > 0, "it connects");
    FakeWebSocket.last.open();
    FakeWebSocket.last.hear({ t: "gone", why });
    assertEquals([model.phase.value, model.reason.value], ["failed", `room_${why}`]);
    assertEquals([model.asksForCode, model.codeText.value], [true, "4821-crystal-orbit-lemon"]);
    model.typeCode("4822-crystal-orbit-lemon");
    assertEquals([model.phase.value, model.reason.value], ["idle", null]);
  });
}

Deno.test("a browser that can't take part is not asked for a code", () => {
  using _page = withGlobals(pageAt("https://example.org/join", NOWHERE));
  const model = new ViewerModel("/workers/picture_worker.js");
  assertEquals([model.phase.value, model.by.value, model.asksForCode], ["failed", "code", false]);
});

for (const pressed of [false, true]) {
  const when = pressed ? "while the code is read" : "after that";
  Deno.test(`a link in place of a code, ${when}, clears the code's error`, async () => {
    using _rtc = withFakeRtc();
    using _page = withGlobals(pageAt("https://example.org/join", NOWHERE));
    const model = new ViewerModel("/workers/picture_worker.js");
    model.typeCode("4821");
    await model.join();
    assertEquals(model.reason.value, "incomplete_code");
    const joining = pressed ? model.join() : Promise.resolve();
    model.typeCode(link());
    await joining;
    assertEquals([model.phase.value, model.by.value, model.reason.value], ["idle", "link", null]);
    assertEquals([model.asksForCode, model.codeText.value], [false, ""]);
  });
}

for (
  const [name, text] of [
    ["in a message", "Look at this: LINK. See you!"],
    ["in brackets", "<LINK>"],
    ["encoded", "https://example.org/join%231."],
  ] as const
) {
  Deno.test(`a link ${name} may be pasted in place of a code`, () => {
    using _rtc = withFakeRtc();
    using _page = withGlobals(pageAt("https://example.org/join", NOWHERE));
    const model = new ViewerModel("/workers/picture_worker.js");
    model.typeCode(text.replace("LINK", link()).replace(/%231\.$/, link().split("#")[1] ?? ""));
    assertEquals([model.phase.value, model.by.value, model.exposed], ["idle", "link", false]);
  });
}

for (
  const [name, text, reason] of [
    ["that was cut", link().slice(0, -4), "bad_link"],
    ["of another site", link().replace("example.org", "example.com"), "foreign_link"],
    ["without its secret", "https://example.org/join", "bad_link"],
  ] as const
) {
  Deno.test(`a link ${name} that is pasted in place of a code is named, and stays`, async () => {
    using _rtc = withFakeRtc();
    using _page = withGlobals(pageAt("https://example.org/join", NOWHERE));
    const model = new ViewerModel("/workers/picture_worker.js");
    model.typeCode(text);
    assertEquals([model.by.value, model.reason.value], ["code", null]);
    await model.join();
    assertEquals(model.codeProblem.value, { reason });
    assertEquals(model.codeText.value, text);
  });
}

Deno.test("a link in a tab with a session leaves the address bar, and is offered", async () => {
  using _rtc = withFakeRtc();
  FakeWebSocket.all = [];
  const replaced: string[] = [];
  const page = pageAt(link(), NOWHERE, replaced);
  using _page = withGlobals({ ...page, WebSocket: FakeWebSocket });
  const model = new ViewerModel("/workers/picture_worker.js");
  model.join();
  await until(() => FakeWebSocket.all.length > 0, "it connects");
  const { session } = model;
  const first = session.value;
  assertEquals([model.phase.value, model.hasLater], ["connecting", false]);

  const other = link();
  page.location.hash = new URL(other).hash;
  model.readFragment();
  assertEquals([replaced.length, page.location.hash], [2, ""]);
  assertEquals([model.phase.value, model.hasLater], ["connecting", true]);
  assert(session.value === first);
  // Only once the session is over.
  model.followLater();
  assert(session.value === first);

  // One that can't be used replaces nothing.
  page.location.hash = "#1.abc";
  model.readFragment();
  assertEquals([page.location.hash, model.hasLater], ["", true]);

  first?.leave();
  assertEquals([model.phase.value, model.hasLater], ["ended", true]);
  model.followLater();
  assertEquals([model.phase.value, model.hasLater, model.formatLink()], ["idle", false, other]);
});

Deno.test("a refused viewer may press again, with the same link", async () => {
  using _rtc = withFakeRtc();
  await using lobby = new Lobby();
  using _page = withGlobals(pageAt(link(), lobby.url));
  const model = new ViewerModel("/workers/picture_worker.js");
  for (let i = 0; i < 2; i++) {
    model.join();
    await until(() => model.phase.value === "failed", "the viewer is refused");
    assertEquals([model.reason.value, model.retryable], ["refused", true]);
  }
});

Deno.test("a browser without WebRTC is told so, and the address bar has no secret", () => {
  const page = pageAt(link(), NOWHERE);
  using _page = withGlobals(page);
  const model = new ViewerModel("/workers/picture_worker.js");
  assertEquals([model.phase.value, model.reason.value, page.location.hash], [
    "failed",
    "no_webrtc",
    "",
  ]);
});
