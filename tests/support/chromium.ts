/**
 * Finds a Chromium that starts on this machine. It needs nothing but npm: if no browser is
 * installed and none can be downloaded, it unpacks the one contained in the package
 * `@sparticuz/chromium`, with the libraries it needs.
 *
 * @module
 */
import { rename } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import puppeteer from "./puppeteer.ts";

/** A Chromium and how to start it. */
export interface Chromium {
  readonly executablePath: string;
  /** Where it was found, for messages. */
  readonly source: "environment" | "installed" | "puppeteer" | "npm";
  /** `shell` for a headless-only build, `true` for a full browser. */
  readonly headless: true | "shell";
  /** Added to the environment of the browser's process. */
  readonly env: Readonly<Record<string, string>>;
  /** Flags that this build needs. */
  readonly args: readonly string[];
}

/** Commands of installed browsers on PATH, the most frequently updated ones first. */
const COMMANDS = [
  "chromium",
  "google-chrome-stable",
  "google-chrome",
  "chromium-browser",
  "google-chrome-beta",
  "chrome",
];

/** Paths where installers put browsers without adding them to PATH. */
const PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/google-chrome-stable",
  "/opt/google/chrome/chrome",
  "/usr/lib/chromium/chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing",
];

/**
 * Libraries that puppeteer's own download needs from the system; without them a download of 150 MB
 * would be useless.
 */
const SYSTEM_LIBRARIES = ["libnss3.so", "libatk-bridge-2.0.so", "libgbm.so", "libasound.so"];

/**
 * Timeout for the download server's first response, in ms; after it the network counts as offline.
 */
const PROBE_MS = 3_000;
/** Timeout for the whole download, in ms. */
const DOWNLOAD_MS = 90_000;
/** Timeout for a browser to print its version, in ms; snap stubs hang forever. */
const VERSION_MS = 15_000;

/** Our fontconfig file in the unpacked directory. */
const FONTS_CONF = "ephemeral-fonts.conf";

let found: Promise<Chromium> | undefined;

/**
 * Finds a Chromium that starts. It tries, in this order: `PUPPETEER_EXECUTABLE_PATH`; an installed
 * Chrome or Chromium; puppeteer's own download, fetched now if the network is fast enough; the one
 * in `@sparticuz/chromium`. Searches once per process.
 *
 * `TEST_CHROMIUM` (`installed`, `puppeteer` or `npm`) restricts the search to one of them, to test
 * that path.
 *
 * @throws {Error} if none starts, or if PUPPETEER_EXECUTABLE_PATH names one that does not: an
 * explicit choice is not overridden
 */
export function findChromium(): Promise<Chromium> {
  return found ??= search();
}

/**
 * The same engine in a build without windows, if one is installed and no other browser was
 * requested; otherwise the one of {@linkcode findChromium}. A session took a third to two fifths
 * less processor time in it.
 */
export async function findShell(): Promise<Chromium> {
  const wishes = ["PUPPETEER_EXECUTABLE_PATH", "TEST_CHROMIUM"];
  if (!wishes.some((name) => Deno.env.get(name))) {
    for await (const shell of installed(["chromium-headless-shell"], [])) {
      if (await whyNot(shell) === null) return shell;
    }
  }
  return await findChromium();
}

async function search(): Promise<Chromium> {
  const only = Deno.env.get("TEST_CHROMIUM");
  const wished = Deno.env.get("PUPPETEER_EXECUTABLE_PATH");
  if (wished && only === undefined) {
    const chromium = plain(wished, "environment");
    const problem = await whyNot(chromium);
    if (problem === null) return chromium;
    throw new Error(`Cannot start PUPPETEER_EXECUTABLE_PATH "${wished}": ${problem}`);
  }
  const tried: string[] = [];
  for (const [name, candidates] of Object.entries({ installed, puppeteer: downloaded, npm })) {
    if (only !== undefined && only !== name) continue;
    for await (const chromium of candidates()) {
      const problem = await whyNot(chromium);
      if (problem === null) return chromium;
      tried.push(`${chromium.executablePath}: ${problem}`);
    }
  }
  throw new Error(`Cannot find a Chromium that starts: ${tried.join("; ") || "nothing found"}`);
}

function plain(executablePath: string, source: Chromium["source"]): Chromium {
  const headless = executablePath.includes("headless") ? "shell" : true;
  return { executablePath, source, headless, env: {}, args: [] };
}

async function* installed(commands = COMMANDS, places = PLACES): AsyncGenerator<Chromium> {
  const separator = Deno.build.os === "windows" ? ";" : ":";
  const directories = (Deno.env.get("PATH") ?? "").split(separator).filter((path) => path !== "");
  const paths = commands.flatMap((name) => directories.map((directory) => join(directory, name)));
  for (const path of new Set([...paths, ...places])) {
    if (await exists(path)) yield plain(path, "installed");
  }
}

async function* downloaded(): AsyncGenerator<Chromium> {
  const path = await puppeteer.executablePath();
  if (await exists(path) || await download(path)) yield plain(path, "puppeteer");
}

/**
 * Downloads puppeteer's Chrome into puppeteer's cache, if the network is available. Returns whether
 * it is there now; never throws.
 */
async function download(path: string): Promise<boolean> {
  if (Deno.env.has("PUPPETEER_SKIP_DOWNLOAD") || !await hasSystemLibraries()) return false;
  const { downloadBaseUrl } = (await puppeteer.configuration()).chrome ?? {};
  const base = downloadBaseUrl ?? "https://storage.googleapis.com/chrome-for-testing-public";
  try {
    const answer = await fetch(base, { method: "HEAD", signal: AbortSignal.timeout(PROBE_MS) });
    await answer.body?.cancel();
  } catch {
    return false;
  }
  // In a child process, because puppeteer's installer can't be aborted but a process can.
  const script = `import { downloadBrowsers } from "puppeteer/internal/node/install.js";
    await downloadBrowsers();`;
  await output(Deno.execPath(), ["eval", script], {
    timeout: DOWNLOAD_MS,
    cwd: dirname(fileURLToPath(import.meta.url)),
    env: { PUPPETEER_CHROME_HEADLESS_SHELL_SKIP_DOWNLOAD: "true" },
  });
  return await exists(path);
}

async function hasSystemLibraries(): Promise<boolean> {
  if (Deno.build.os !== "linux") return true;
  const { text } = await output("/sbin/ldconfig", ["-p"], { timeout: VERSION_MS });
  return SYSTEM_LIBRARIES.every((name) => text.includes(name));
}

async function* npm(): AsyncGenerator<Chromium> {
  if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64") return;
  const directory = await unpack();
  yield {
    executablePath: join(directory, "chromium"),
    source: "npm",
    headless: "shell",
    env: {
      LD_LIBRARY_PATH: join(directory, "al2023", "lib"),
      FONTCONFIG_FILE: join(directory, FONTS_CONF),
      // Fontconfig needs a writable cache; without a home directory it would warn for every page.
      HOME: Deno.env.get("HOME") ?? directory,
    },
    // This build has no zygote. --single-process, which its package recommends for Lambda, is left
    // out: contexts would share a renderer.
    args: ["--no-zygote"],
  };
}

/**
 * Unpacks `@sparticuz/chromium` once per version and returns the directory. Several processes may
 * do so at once.
 */
async function unpack(): Promise<string> {
  // Imported on demand: 65 MB that are useless if there is another browser.
  const { inflate } = await import("npm:@sparticuz/chromium@^153.0.0");
  const entry = fileURLToPath(import.meta.resolve("npm:@sparticuz/chromium@^153.0.0"));
  const root = dirname(dirname(entry));
  const version = /"version": *"([^"]+)"/.exec(await Deno.readTextFile(join(root, "package.json")));
  const cache = await cacheDirectory();
  const directory = join(cache, `chromium-${version?.[1] ?? "unknown"}`);
  if (await exists(directory)) return directory;
  const work = await Deno.makeTempDir({ dir: cache, prefix: "unpack-" });
  // `inflate` always unpacks into the temporary directory, which it reads from the environment at
  // each call.
  const before = process.env.TMPDIR;
  process.env.TMPDIR = work;
  try {
    for (const name of ["chromium.br", "al2023.tar.br", "fonts.tar.br", "swiftshader.tar.br"]) {
      await inflate(join(root, "bin", name));
    }
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
  await Deno.writeTextFile(join(work, FONTS_CONF), fontsConf(directory));
  try {
    await rename(work, directory);
  } catch (error) {
    await Deno.remove(work, { recursive: true });
    // Another process was faster: its copy is as good as ours.
    if (!await exists(directory)) throw error;
  }
  return directory;
}

/**
 * Our fontconfig file with the directories of the fonts. The package's own file names the
 * directories of a Lambda function, and this Chromium exits if it finds no font at all.
 */
function fontsConf(directory: string): string {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${join(directory, "fonts")}</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>${join(directory, "fonts-cache")}</cachedir>
</fontconfig>
`;
}

/**
 * The user's cache, not the shared temporary directory: anyone who can write there could make us
 * start their program.
 */
async function cacheDirectory(): Promise<string> {
  const home = homedir();
  const wanted = [Deno.env.get("XDG_CACHE_HOME"), home === "" ? undefined : join(home, ".cache")];
  for (const base of wanted) {
    if (base === undefined || base === "") continue;
    const directory = join(base, "ephemeral-p2p-image");
    try {
      await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
      return directory;
    } catch {
      // The home directory is read-only: try the next place.
    }
  }
  return await Deno.makeTempDir({ dir: tmpdir(), prefix: "ephemeral-p2p-image-" });
}

/**
 * Starts the browser with `--version`, which fails if a library is missing. Returns `null` if it
 * works, otherwise the reason.
 */
async function whyNot(chromium: Chromium): Promise<string | null> {
  // On Windows --version opens a window instead of printing the version.
  if (Deno.build.os === "windows") {
    return await exists(chromium.executablePath) ? null : "no such file";
  }
  const { code, text } = await output(chromium.executablePath, ["--version", ...chromium.args], {
    timeout: VERSION_MS,
    env: chromium.env,
  });
  if (code === 0) return null;
  return text.trim().split("\n").at(-1) || `exit code ${code}`;
}

interface OutputOptions {
  readonly timeout: number;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs a program to its end. If it can't be started or takes too long, the result is code 1 and a
 * text.
 */
async function output(command: string, args: readonly string[], options: OutputOptions) {
  try {
    const { code, stdout, stderr } = await new Deno.Command(command, {
      args: [...args],
      env: { ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      signal: AbortSignal.timeout(options.timeout),
    }).output();
    const decoder = new TextDecoder();
    return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
  } catch (error) {
    return { code: 1, text: error instanceof Error ? error.message : String(error) };
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}
