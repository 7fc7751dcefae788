import type { Method } from "./types.ts";

/** Result of matching a request. `item` is null on 404 (then `pattern` is null too) and on 405. */
export interface Match<T> {
  item: T | null;
  params: Record<string, string>;
  pattern: string | null;
}

interface Entry<T> {
  pattern: string;
  test: URLPattern | null;
  methods: Map<string, T>;
}

const IS_PATTERN = /[*:{}+?()]/;

/** Fixed paths take precedence over patterns; among patterns the first one added wins. */
export class Router<T> {
  #fixed = new Map<string, Entry<T>>();
  #patterns = new Map<string, Entry<T>>();

  /**
   * Adds `item` for a method; if the same path and method were added before, the earlier item
   * stays.
   */
  add(method: Method, pattern: string, item: T): void {
    const dynamic = IS_PATTERN.test(pattern);
    const entries = dynamic ? this.#patterns : this.#fixed;
    let entry = entries.get(pattern);
    if (entry === undefined) {
      const test = dynamic ? new URLPattern({ pathname: pattern }) : null;
      entry = { pattern, test, methods: new Map() };
      entries.set(pattern, entry);
    }
    if (!entry.methods.has(method)) entry.methods.set(method, item);
  }

  /** The methods that were added for a pattern, for the Allow header. */
  allowed(pattern: string): string[] {
    return [...(this.#fixed.get(pattern) ?? this.#patterns.get(pattern))?.methods.keys() ?? []];
  }

  match(method: string, url: URL): Match<T> {
    const params: Record<string, string> = Object.create(null);
    const path = url.pathname;
    // A fixed path also matches with or without a trailing slash.
    const other = path.endsWith("/") ? path.slice(0, -1) : path + "/";
    const fixed = this.#fixed.get(path) ?? this.#fixed.get(other);
    if (fixed !== undefined) {
      return { item: pick(fixed, method), params, pattern: fixed.pattern };
    }

    for (const entry of this.#patterns.values()) {
      const found = entry.test?.exec(url);
      if (found === null || found === undefined) continue;
      const item = pick(entry, method);
      for (const [key, value] of item === null ? [] : Object.entries(found.pathname.groups)) {
        // Throws a URIError for malformed percent-encoding. No error page handles that, so the
        // caller of the handler has to.
        params[key] = decodeURI(value ?? "");
      }
      return { item, params, pattern: entry.pattern };
    }
    return { item: null, params, pattern: null };
  }
}

function pick<T>(entry: Entry<T>, method: string): T | null {
  return entry.methods.get(method) ??
    (method === "HEAD" ? entry.methods.get("GET") : undefined) ?? null;
}

/** Turns a route file's id such as `ws/[room]` or `(group)/index` into a URLPattern pathname. */
export function pathToPattern(id: string): string {
  const parts = id.split("/").filter((part) => !/^\(.*\)$/.test(part));
  if (parts.at(-1) === "index") parts.pop();
  const pattern = parts.map((part) => {
    if (part.includes("][")) {
      throw new SyntaxError(`Invalid route "${id}": two parameters need characters in between`);
    }
    const rest = /^\[\.\.\.(\w+)\]$/.exec(part);
    if (rest !== null) return `/:${rest[1]}*`;
    const optional = /^\[\[(\w+)\]\]$/.exec(part);
    if (optional !== null) return `{/:${optional[1]}}?`;
    return "/" + part.replace(/\[(\w+)\]/g, ":$1");
  }).join("");
  return pattern === "" ? "/" : pattern;
}

/** Orders route ids so that the more specific one is added, and therefore tried, first. */
export function compareRoutes(a: string, b: string): number {
  const left = a.split("/");
  const right = b.split("/");
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const x = left[i] ?? "";
    const y = right[i] ?? "";
    if (x === y) continue;
    // Comparing code units, not locales: the order must be the same on every machine.
    return rank(x) - rank(y) || (x < y ? -1 : 1);
  }
  return right.length - left.length;
}

function rank(part: string): number {
  return part.startsWith("[...") ? 3 : part.startsWith("[[") ? 2 : part.includes("[") ? 1 : 0;
}
