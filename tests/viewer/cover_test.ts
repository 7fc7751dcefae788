import { type CoverDocument, watchCover } from "../../lib/viewer/cover.ts";
import { assertEquals } from "../support/assert.ts";

class FakeDocument extends EventTarget implements CoverDocument {
  visibilityState: DocumentVisibilityState = "visible";
  focused = true;

  hasFocus(): boolean {
    return this.focused;
  }
}

function watch(change: (document: FakeDocument) => void = () => {}, signal?: AbortSignal) {
  const page = new FakeDocument();
  change(page);
  const view = new EventTarget();
  const log: string[] = [];
  watchCover({
    onCover: (kind) => log.push(kind),
    onUncover: () => log.push("uncover"),
    window: view,
    document: page,
    ...(signal === undefined ? {} : { signal }),
  });
  return {
    page,
    log,
    window: (kind: string) => view.dispatchEvent(new Event(kind)),
    become(state: DocumentVisibilityState, focused: boolean) {
      page.visibilityState = state;
      page.focused = focused;
      page.dispatchEvent(new Event("visibilitychange"));
    },
  };
}

Deno.test("a hidden page is covered within the event and uncovered when seen again", () => {
  const { log, become } = watch();
  become("hidden", false);
  assertEquals(log, ["hidden"]);
  become("visible", true);
  assertEquals(log, ["hidden", "uncover"]);
});

Deno.test("blur covers until focus, beforeprint until afterprint", () => {
  const { log, window } = watch();
  for (const kind of ["blur", "focus", "beforeprint", "afterprint"]) window(kind);
  assertEquals(log, ["blur", "uncover", "print", "uncover"]);
});

Deno.test("the page stays covered until the last reason is gone", () => {
  const { log, window, become } = watch();
  window("blur");
  become("hidden", false);
  become("visible", false);
  assertEquals(log, ["blur", "hidden"]);
  window("focus");
  assertEquals(log, ["blur", "hidden", "uncover"]);
});

Deno.test("a tab that comes back focused is uncovered without a focus event", () => {
  const { log, window, become } = watch();
  window("blur");
  become("hidden", false);
  become("visible", true);
  assertEquals(log, ["blur", "hidden", "uncover"]);
});

Deno.test("the same reason is reported once until it ends", () => {
  const { log, window } = watch();
  for (const kind of ["blur", "blur", "focus", "focus", "blur"]) window(kind);
  assertEquals(log, ["blur", "uncover", "blur"]);
});

Deno.test("pagehide and freeze are final", () => {
  const hidden = watch();
  for (const kind of ["blur", "pagehide", "pageshow", "focus"]) hidden.window(kind);
  hidden.become("visible", true);
  assertEquals(hidden.log, ["blur", "pagehide"]);
  const frozen = watch();
  frozen.page.dispatchEvent(new Event("freeze"));
  frozen.page.dispatchEvent(new Event("resume"));
  frozen.become("visible", true);
  assertEquals(frozen.log, ["freeze"]);
});

Deno.test("a page that is hidden or without focus from the start is covered at once", () => {
  assertEquals(watch((page) => page.visibilityState = "hidden").log, ["hidden"]);
  assertEquals(watch((page) => page.focused = false).log, ["blur"]);
});

Deno.test("an aborted signal ends watching", () => {
  const controller = new AbortController();
  const { log, window, become } = watch(() => {}, controller.signal);
  controller.abort();
  for (const kind of ["blur", "beforeprint", "pagehide"]) window(kind);
  become("hidden", false);
  assertEquals(log, []);
  assertEquals(watch((page) => page.focused = false, controller.signal).log, []);
});
