/**
 * `deno task screens`: walks two real browsers through everything that a person can see
 * (`walks.ts`), and captures each state at 390, 844, 820 and 1440 pixels, light and dark. The
 * screenshots are for looking at, in `_screens/`: each state has one sheet. Fails if a page is
 * wider than its screen, or reports an error.
 *
 *     deno task screens [state …]     only walks that have one of these states
 *
 * @module
 */
import { startApp } from "../support/app.ts";
import { launchBrowser } from "../support/browser.ts";
import { fixture } from "../support/fixtures.ts";
import { PROJECT } from "../support/project.ts";
import { Gallery } from "./gallery.ts";
import { drawLake } from "./picture.ts";
import { type Walk, WALKS } from "./walks.ts";

const FOLDER = `${PROJECT}_screens`;

async function takeAll(wanted: readonly string[]): Promise<string[]> {
  await Deno.mkdir(FOLDER, { recursive: true });
  await using app = await startApp();
  await using browser = await launchBrowser();
  const gallery = new Gallery(FOLDER);
  const blank = await browser.newPage();
  await blank.page.goto(app.url);
  const path = `${FOLDER}/lake.jpg`;
  await drawLake(blank.page, path);
  const lake = { ...await fixture("small"), path };
  const problems: string[] = [];
  const take: Walk["take"] = async (person, name) => {
    await person.page.bringToFront();
    problems.push(...await gallery.take(person.page, name));
  };
  for (const { states, run } of WALKS) {
    if (wanted.length > 0 && !states.some((state) => wanted.includes(state))) continue;
    try {
      await run({ app, browser, lake, take });
    } catch (error) {
      problems.push(`${states[0]} …: ${error instanceof Error ? error.message : error}`);
    }
  }
  problems.push(...browser.pages.flatMap((page) => page.unexpectedErrors()));
  const sheets = await browser.browser.newPage();
  await gallery.sheets(sheets);
  return problems;
}

if (import.meta.main) {
  const problems = await takeAll(Deno.args);
  for (const problem of problems) Deno.stderr.writeSync(new TextEncoder().encode(`${problem}\n`));
  if (problems.length > 0) Deno.exitCode = 1;
}
