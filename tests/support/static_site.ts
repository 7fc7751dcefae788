/**
 * The app as a static site, for tests: written by the program that operators use, and served by a
 * server that can do nothing but files.
 *
 * @module
 */
import { buildApp } from "./app.ts";
import { PROJECT } from "./project.ts";

/** Runs the export, as `deno task export` does after the build. */
export async function runExport(
  folder: string,
  env: Readonly<Record<string, string>>,
): Promise<{ readonly success: boolean; readonly output: string }> {
  await buildApp();
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--frozen", "lib/release/export.ts", folder],
    cwd: PROJECT,
    env: { ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  return { success, output: decoder.decode(stdout) + decoder.decode(stderr) };
}

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html",
  css: "text/css",
  js: "text/javascript",
  json: "application/json",
  svg: "image/svg+xml",
  webmanifest: "application/manifest+json",
};

/**
 * Serves a folder as the simplest programs do (`python3 -m http.server`): no header but the type,
 * and a redirect from a folder's name to its address with a slash.
 */
export function serveFolder(folder: string, port: number): Deno.HttpServer {
  return Deno.serve({ hostname: "127.0.0.1", port, onListen() {} }, async (req) => {
    const { pathname } = new URL(req.url);
    const path = `${folder}${pathname}`;
    const info = await Deno.stat(path).catch(() => null);
    if (info?.isDirectory && !pathname.endsWith("/")) {
      return new Response(null, { status: 301, headers: { location: `${pathname}/` } });
    }
    const file = info?.isDirectory ? `${path}index.html` : path;
    const bytes = await Deno.readFile(file).catch(() => null);
    if (bytes === null) return new Response("not found", { status: 404 });
    const type = TYPES[file.split(".").at(-1) ?? ""] ?? "application/octet-stream";
    return new Response(bytes, { headers: { "content-type": type } });
  });
}
