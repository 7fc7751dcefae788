/**
 * Metadata readers that share no code with ours, and what they find in a picture that should be
 * clean.
 *
 * @module
 */
import { join } from "node:path";
import { readMetadata } from "../support/exifr.ts";
import { isAllowed } from "./allowed.ts";
import { hasTool, run } from "./tools.ts";

/** A file that was sent. */
export interface SentFile {
  readonly type: string;
  readonly bytes: Uint8Array;
}

/** The readers to look for; exifr, from npm, replaces those that are missing. */
const READERS = ["exiftool", "heif-info", "webpmux", "gifsicle"] as const;

const EXTENSIONS: Readonly<Record<string, string>> = {
  "image/jpeg": "jpg",
  "image/png": "png",
  "image/gif": "gif",
  "image/webp": "webp",
  "image/avif": "avif",
};

/** Which of them are installed, and which are not. */
export async function findReaders(): Promise<{ found: string[]; missing: string[] }> {
  const found: string[] = [];
  const missing: string[] = [];
  for (const name of READERS) (await hasTool(name) ? found : missing).push(name);
  return { found, missing };
}

/**
 * What the readers name in each of the files beyond what is allowed, one list per file: `reader:
 * Group:Tag=value`.
 */
export async function readLeft(files: readonly SentFile[]): Promise<string[][]> {
  const directory = await Deno.makeTempDir();
  try {
    const paths: string[] = [];
    for (const [i, { type, bytes }] of files.entries()) {
      const path = join(directory, `${i}.${EXTENSIONS[type] ?? "bin"}`);
      await Deno.writeFile(path, bytes);
      paths.push(path);
    }
    const left = await hasTool("exiftool")
      ? await askExiftool(paths)
      : await Promise.all(files.map(({ bytes }) => askExifr(bytes)));
    for (const [i, { type }] of files.entries()) {
      left[i]?.push(...await askOthers(paths[i] ?? "", type));
    }
    return left;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function askExiftool(paths: readonly string[]): Promise<string[][]> {
  if (paths.length === 0) return [];
  const text = await run("exiftool", ["-json", "-a", "-u", "-G1", "-ee", ...paths]);
  const answers: unknown = JSON.parse(text === "" ? "[]" : text);
  const left = new Map<string, string[]>();
  for (const answer of Array.isArray(answers) ? answers : []) {
    const entries = Object.entries(Object(answer));
    const named = entries.filter(([name, value]) => !isAllowed(name, value));
    const lines = named.map(([name, value]) => `exiftool: ${name}=${String(value).slice(0, 60)}`);
    left.set(String(Reflect.get(Object(answer), "SourceFile")), lines);
  }
  return paths.map((path) => left.get(path) ?? ["exiftool: did not answer"]);
}

async function askExifr(bytes: Uint8Array): Promise<string[]> {
  try {
    const text = await readMetadata(bytes);
    return text === "{}" ? [] : [`exifr: ${text.slice(0, 200)}`];
  } catch {
    // It supports neither GIF nor WebP, and throws on them.
    return [];
  }
}

async function askOthers(path: string, type: string): Promise<string[]> {
  if (type === "image/gif" && await hasTool("gifsicle")) {
    return linesOf("gifsicle", await run("gifsicle", ["--info", path]), /comment|extension|name /);
  }
  if (type === "image/webp" && await hasTool("webpmux")) {
    // An orientation alone takes 26 bytes.
    return linesOf(
      "webpmux",
      await run("webpmux", ["-info", path]),
      /EXIF metadata: (?!26$)|XMP|Unknown/,
    );
  }
  if (type === "image/avif" && await hasTool("heif-info")) {
    const text = await run("heif-info", [path]);
    return linesOf("heif-info", text, /thumbnail|depth channel: yes|Exif|mime|XMP|URI|description/);
  }
  return [];
}

function linesOf(reader: string, text: string, told: RegExp): string[] {
  const lines = text.split("\n").filter((line) => told.test(line));
  return lines.map((line) => `${reader}: ${line.trim().slice(0, 80)}`);
}
