/**
 * Measures the time from choosing a file to the link on the page: for a small picture, and for a
 * photo of 16 MB and 20 megapixels, which is scaled down before it is sent. The link must not wait
 * for that.
 *
 *     deno run -A bench/link.ts [--check]
 *
 * Prints one JSON line per picture; `--check` fails above {@linkcode TARGET_MS}.
 *
 * @module
 */
import { startApp } from "../tests/support/app.ts";
import { withBrowser } from "../tests/support/browser.ts";
import { fixture } from "../tests/support/fixtures.ts";
import { Sender } from "../tests/support/flow.ts";
import { median, printLine, rounded } from "./statistics.ts";

const ROUNDS = 7;
const TARGET_MS = 100;

/** Records when a file was chosen, when the link appeared, and when the picture did. */
const WATCH = `{
  const times = { chosen: 0, link: 0, picture: 0 };
  Object.defineProperty(globalThis, "__times", { value: times });
  addEventListener("change", (event) => {
    if (event.target.type === "file") times.chosen = performance.now();
  }, true);
  new MutationObserver(() => {
    if (document.querySelector("[data-field=share-link]")) times.link ||= performance.now();
    if (document.querySelector(".picture canvas")) times.picture ||= performance.now();
  }).observe(document, { subtree: true, childList: true });
}`;

async function round(
  url: string,
  name: "small" | "huge",
): Promise<{ link: number; picture: number }> {
  let times = { link: NaN, picture: NaN };
  const picture = await fixture(name);
  await withBrowser(async (browser) => {
    const sender = await Sender.open(await browser.newPage({ before: WATCH }), url);
    // Before choosing a file, people move the mouse and look for the file.
    await sender.page.mouse.move(200, 200);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await sender.chooseFile(picture);
    const settled = () => Reflect.get(globalThis, "__times").picture > 0;
    await sender.waitFor("the picture", settled, { timeout: 60_000 });
    times = await sender.page.evaluate(() => {
      const { chosen, link, picture } = Reflect.get(globalThis, "__times");
      return { link: link - chosen, picture: picture - chosen };
    });
  });
  return times;
}

if (import.meta.main) {
  await using app = await startApp();
  for (const name of ["small", "huge"] as const) {
    const rounds: { link: number; picture: number }[] = [];
    for (let i = 0; i < ROUNDS; i++) rounds.push(await round(app.url, name));
    const link = median(rounds.map((each) => each.link));
    const picture = median(rounds.map((each) => each.picture));
    printLine({ bench: "link", name, linkMs: rounded(link), pictureMs: rounded(picture) });
    if (Deno.args.includes("--check") && link > TARGET_MS) Deno.exitCode = 1;
  }
}
