/**
 * `?debug` logs a page's changes of state to the console, without secrets.
 *
 * @module
 */
import { startApp } from "../support/app.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { withBrowser } from "../support/browser.ts";
import { fixture } from "../support/fixtures.ts";
import { Sender, Viewer } from "../support/flow.ts";

/** The states in the lines of a trace, e.g. `page waiting`. */
function told(trace: readonly string[], what: string): string[] {
  return trace.flatMap((line) => new RegExp(`^[\\d.]+ ${what} (.*)$`).exec(line)?.[1] ?? []);
}

Deno.test("both pages trace a session, without link, code, file name or address", async () => {
  await using app = await startApp();
  await withBrowser(async (browser) => {
    const pages = [await browser.newPage({ traced: false }), await browser.newPage()] as const;
    const sender = await Sender.open(pages[0], `${app.url}/?debug=`);
    const picture = await fixture("small");
    const link = await sender.offer(picture);
    const code = await sender.shareCode();
    const viewer = await Viewer.open(pages[1], link);
    await viewer.receive();
    await viewer.look();
    await viewer.closePicture();
    await sender.waitPhase("ended");
    await viewer.waitPhase("ended");
    const [sent, seen] = pages.map(({ trace }) => trace);
    assert(sent !== undefined && seen !== undefined);
    assertEquals(told(sent, "page").slice(-2), ["closed", "ended (done)"]);
    assert(told(sent, "outgoing").includes("0:shown"), sent.join("\n"));
    assert(told(seen, "incoming").includes("viewing"), seen.join("\n"));
    const all = [...sent, ...seen].join("\n");
    const secret = new URL(link).hash.slice(1);
    for (
      const part of [
        secret,
        ...secret.split("."),
        ...code.split("-"),
        picture.path.split("/").at(-1) ?? "",
        "127.0.0.1",
      ]
    ) {
      assert(part.length < 3 || !all.includes(part), `"${part}" is in the trace:\n${all}`);
    }
  });
});

Deno.test("without ?debug nothing is logged", async () => {
  await using app = await startApp();
  await withBrowser(async (browser) => {
    const page = await browser.newPage({ traced: false });
    const sender = await Sender.open(page, app.url);
    await sender.offer(await fixture("small"));
    assertEquals(page.trace, []);
  });
});
