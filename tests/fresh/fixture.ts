import { fileURLToPath } from "node:url";
import { Builder } from "fresh/dev";
import type { State } from "./fixtures/app/state.ts";

/** The fixture app, built for production into a directory of its own and loaded from there. */
export interface BuiltApp {
  out: string;
  buildId: string;
  get(path: string, init?: RequestInit): Promise<Response>;
  text(path: string): Promise<string>;
}

export const FIXTURE = fileURLToPath(new URL("./fixtures/app", import.meta.url));

export async function buildFixture(): Promise<BuiltApp> {
  const out = await Deno.makeTempDir({ prefix: "fresh_test_" });
  await new Builder<State>({ root: FIXTURE, outDir: out }).build();
  const server: { default: { fetch(req: Request): Promise<Response> } } = await import(
    `file://${out}/server.js`
  );
  const get = (path: string, init?: RequestInit) =>
    server.default.fetch(new Request(new URL(path, "http://localhost"), init));
  const [buildId = ""] = [...Deno.readDirSync(`${out}/static/_fresh/js`)].map(({ name }) => name);
  return { out, buildId, get, text: async (path) => await (await get(path)).text() };
}

/** The URL paths of the modules that a page's boot script imports, statically and transitively. */
export async function loaded(app: BuiltApp, html: string): Promise<string[]> {
  const found = new Set([...html.matchAll(/from "(\/_fresh[^"]+)"/g)].map((hit) => hit[1] ?? ""));
  for (const path of found) {
    const code = await app.text(path);
    for (const [, spec = ""] of code.matchAll(/(?:from|import)"\.\/([^"]+)"/g)) {
      found.add(path.replace(/[^/]+$/, spec));
    }
  }
  return [...found];
}
