/**
 * Renders pages of the build in `_fresh`, without a server. A program of its own, because settings
 * are read once: `deno run -A lib/release/render_pages.ts DIR [export]` writes
 * `DIR/<language>/<page>.html`. With ACCESS_KEY these are only the pages that depend on it.
 *
 * @module
 */
import { LANGUAGE_COOKIE, LANGUAGES } from "../i18n/languages.ts";
import { config, DEFAULTS } from "../ops/config.ts";
import { log } from "../ops/log.ts";
import { renderForExport } from "../server/site.ts";
import { ADMITTED, LOCKED, type PageFile, PAGES } from "./pages.ts";

type Fetch = (req: Request, info: Deno.ServeHandlerInfo) => Promise<Response>;

const ORIGIN = "http://localhost";

/** Where requests seem to come from. */
const INFO: Deno.ServeHandlerInfo = {
  remoteAddr: { transport: "tcp", hostname: "127.0.0.1", port: 0 },
  completed: Promise.resolve(),
};

/** Runs this module in a process whose settings are `settings`, and the defaults otherwise. */
export async function renderPages(
  directory: string,
  { settings, forExport = false }: {
    readonly settings: Readonly<Record<string, string>>;
    readonly forExport?: boolean;
  },
): Promise<void> {
  // An empty variable counts as not set.
  const unset = Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, ""]));
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--frozen", import.meta.url, directory, ...(forExport ? ["export"] : [])],
    env: { ...unset, LOG_LEVEL: "error", ...settings },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`Cannot render pages: ${new TextDecoder().decode(stderr)}`);
}

async function main([directory = "", how]: readonly string[]): Promise<void> {
  if (how === "export") renderForExport();
  const module: { default: { fetch: Fetch } } = await import("../../_fresh/server.js");
  const { fetch } = module.default;
  const [key = ""] = config().ACCESS_KEY;
  const admitted = key === "" ? "" : await enter(fetch, key);
  for (const { tag } of LANGUAGES) {
    await Deno.mkdir(`${directory}/${tag}`, { recursive: true });
    const write = async (page: PageFile, cookie: string) => {
      const headers = { cookie: `${LANGUAGE_COOKIE}=${tag}; ${cookie}` };
      const answer = await fetch(new Request(ORIGIN + page.path, { headers }), INFO);
      const html = await answer.text();
      if (answer.status !== page.status) {
        throw new Error(`Cannot render ${page.path}: status ${answer.status}`);
      }
      await Deno.writeTextFile(`${directory}/${tag}/${page.name}.html`, html);
    };
    if (key === "") { for (const page of PAGES) await write(page, ""); }
    else {
      await write(LOCKED, "");
      await write(ADMITTED, admitted);
    }
  }
}

/** Enters the access key; the cookie that the server sets for that. */
async function enter(fetch: Fetch, key: string): Promise<string> {
  const body = new URLSearchParams({ key });
  const answer = await fetch(new Request(`${ORIGIN}/access`, { method: "POST", body }), INFO);
  await answer.body?.cancel();
  return answer.headers.get("set-cookie")?.split(";")[0] ?? "";
}

if (import.meta.main) {
  try {
    await main(Deno.args);
    // Routes start timers that would keep the process alive.
    Deno.exit(0);
  } catch (error) {
    log.error("rendering failed", { reason: error instanceof Error ? error.message : "unknown" });
    Deno.exit(1);
  }
}
