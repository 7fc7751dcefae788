/** The module that islands and components import. This module is browser compatible. */
import {
  type ComponentChildren,
  type Context as PreactContext,
  createContext,
  type VNode,
} from "preact";
import { node } from "./vnode.ts";

/** True in a browser's window, false on the server. */
export const IS_BROWSER: boolean = typeof document !== "undefined";

const CACHE_KEY = "__frsh_c";

// In the browser the build's id is taken from this module's own URL, /_fresh/js/<id>/…. So the id
// can be the hash of the bundles' bytes without being part of them.
let buildId = IS_BROWSER ? /\/_fresh\/js\/([^/]+)\//.exec(import.meta.url)?.[1] ?? "" : "";

/** Server only: sets the id that `asset()` appends. */
export function setBuildId(id: string): void {
  buildId = id;
}

/** The id of the current build, "" before there is one. */
export function getBuildId(): string {
  return buildId;
}

/**
 * Appends the build's id to a path below `static/`, so that it can be cached for a year: the next
 * build uses another URL. Anything but a path of this site is returned unchanged.
 */
export function asset(path: string): string {
  return assetOf(path, buildId);
}

/** {@linkcode asset} for a build whose id is passed explicitly. */
export function assetOf(path: string, id: string): string {
  if (!path.startsWith("/") || path.startsWith("//") || id === "") return path;
  const url = new URL(path, "http://localhost");
  if (url.searchParams.has(CACHE_KEY)) return path;
  url.searchParams.set(CACHE_KEY, id);
  return url.pathname + url.search + url.hash;
}

/** True inside `<Head>`, false inside the document's `<head>`, otherwise undefined. */
export const HeadContext: PreactContext<boolean | undefined> = createContext<boolean | undefined>(
  undefined,
);

export interface HeadProps {
  children?: ComponentChildren;
}

/**
 * Moves `<title>`, `<meta>`, `<link>` and the like into the document's head while the server
 * renders; an equivalent tag in `_app` is replaced. Renders nothing in the browser.
 */
export function Head(props: HeadProps): VNode | null {
  return IS_BROWSER ? null : node(HeadContext.Provider, { value: true, children: props.children });
}
