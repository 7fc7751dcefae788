/**
 * Searches the memory of running processes, for tests that check whether anything is left there.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** Only root may read other users' processes, and only Linux has such files. */
export const MAY_READ_MEMORY = Deno.build.os === "linux" && Deno.uid() === 0;

const CHUNK_BYTES = 8 * 1024 * 1024;
/** Addresses above this are the kernel's own pages, which can't be read. */
const USER_SPACE_END = 2 ** 47;

interface Mapping {
  readonly start: number;
  readonly end: number;
}

/** A process and all its direct and indirect child processes. */
function familyOf(root: number): number[] {
  const parents = new Map<number, number>();
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const parent = /^PPid:\s*(\d+)/m.exec(readText(`/proc/${name}/status`))?.[1];
    parents.set(Number(name), Number(parent ?? 0));
  }
  const family = [root];
  // The list grows during the iteration.
  for (const pid of family) {
    for (const [child, parent] of parents) if (parent === pid) family.push(child);
  }
  return family;
}

/** The text of a file; empty if the process has ended. */
function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

/**
 * Mappings that may contain data. Excluded are read-only mappings of programs and files, and empty
 * mappings.
 */
function mappingsOf(pid: number): Mapping[] {
  const found: Mapping[] = [];
  for (const part of readText(`/proc/${pid}/smaps`).split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)) {
    const [, start = "", end = "", mode = "", name = ""] =
      /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \S+ *(.*)/.exec(part) ?? [];
    const isFile = name.startsWith("/") && mode.endsWith("p") && !mode.includes("w");
    const isEmpty = mode.endsWith("p") && /^Rss: +0 kB/m.test(part) && /^Swap: +0 kB/m.test(part);
    if (!mode.startsWith("r") || isFile || isEmpty || name.startsWith("[v")) continue;
    const mapping = { start: parseInt(start, 16), end: parseInt(end, 16) };
    if (mapping.end <= USER_SPACE_END) found.push(mapping);
  }
  return found;
}

/** Result of a search. */
export interface Found {
  /** Indices of the needles that were found anywhere. */
  readonly needles: readonly number[];
  /** Number of bytes read, and number of processes. */
  readonly bytes: number;
  readonly processes: number;
}

/** Searches for byte sequences in all memory of a process and its child processes. */
export function searchMemory(root: number, needles: readonly Uint8Array[]): Found {
  // V8 finds a string ten times as fast as Buffer finds bytes.
  const wanted = needles.map((needle) => Buffer.from(needle).toString("latin1"));
  const overlap = Math.max(...needles.map(({ length }) => length)) - 1;
  const buffer = Buffer.alloc(CHUNK_BYTES);
  const seen = new Set<number>();
  let [bytes, processes] = [0, 0];
  for (const pid of familyOf(root)) {
    using memory = open(pid);
    if (memory === null) continue;
    processes++;
    for (const { start, end } of mappingsOf(pid)) {
      for (let at = start; at < end;) {
        const read = readAt(memory, at, buffer.subarray(0, Math.min(CHUNK_BYTES, end - at)));
        if (read === 0) break;
        bytes += read;
        const text = buffer.toString("latin1", 0, read);
        for (const [i, each] of wanted.entries()) if (text.includes(each)) seen.add(i);
        // Read the end of a chunk again: a needle may continue in the next one.
        at += at + read < end && read > overlap ? read - overlap : read;
      }
    }
  }
  return { needles: [...seen].sort((a, b) => a - b), bytes, processes };
}

function open(pid: number): Deno.FsFile | null {
  try {
    return Deno.openSync(`/proc/${pid}/mem`);
  } catch {
    return null;
  }
}

/** Returns 0 if the memory no longer exists or can't be read. */
function readAt(memory: Deno.FsFile, at: number, buffer: Uint8Array): number {
  try {
    memory.seekSync(at, Deno.SeekMode.Start);
    return memory.readSync(buffer) ?? 0;
  } catch {
    return 0;
  }
}
