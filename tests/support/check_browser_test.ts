import { assert, assertEquals } from "./assert.ts";
import { checkBrowser } from "./check_browser.ts";

async function check(source: string): Promise<string | null> {
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(path, source);
    return await checkBrowser([path]);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("what a browser has passes the check for browsers", async () => {
  const source = `import { signal } from "@preact/signals";
    export const title = signal(document.title);
    export const peer = new RTCPeerConnection();`;
  assertEquals(await check(source), null);
});

for (
  const source of [
    `export const version = Deno.version.deno;`,
    `export const bytes = Buffer.from("x");`,
    `export const id = process.pid;`,
    `export { join } from "node:path";`,
    `export const main = import.meta.main;`,
  ]
) {
  Deno.test(`a browser file with \`${source}\` fails the check for browsers`, async () => {
    assert(await check(source) !== null);
  });
}
