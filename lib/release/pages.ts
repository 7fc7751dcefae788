/**
 * The pages that this app serves, and what of their HTML depends on neither the source nor the
 * language: the nonce, the number of the build, and settings of the server.
 *
 * @module
 */
import { shortBuild } from "../i18n/format.ts";

/** A page, by the name of its file below `_fresh/pages/<language>/`. */
export interface PageFile {
  readonly name: string;
  /** Its path on a server. */
  readonly path: string;
  readonly status: number;
}

/** Every page that a server answers GET requests with, except for forms that were filled in. */
export const PAGES: readonly PageFile[] = [
  { name: "index", path: "/", status: 200 },
  { name: "join", path: "/join", status: 200 },
  { name: "security", path: "/security", status: 200 },
  { name: "build", path: "/build", status: 200 },
  { name: "offline", path: "/offline", status: 200 },
  { name: "share", path: "/share", status: 200 },
  { name: "404", path: "/no-such-page", status: 404 },
];

/** `/` for whoever has not entered the access key. */
export const LOCKED: PageFile = { name: "locked", path: "/", status: 200 };

/** `/` for whoever has. */
export const ADMITTED: PageFile = { name: "admitted", path: "/", status: 200 };

/** Stands where the number of the build is: that number covers the pages themselves. */
export const NO_BUILD = "0".repeat(64);

/** The settings that a page shows, as in its `<meta>`. */
export interface Shown {
  /** True if RELAY is on. */
  readonly relay: boolean;
  /** SIGNALING_ORIGIN, or empty. */
  readonly signaling: string;
}

/** A page without what differs between servers and requests. */
export interface Plain {
  readonly html: string;
  readonly build: string | null;
  readonly shown: Shown;
}

const NONCE = / nonce="([^"]*)"/g;
const BUILD = /<meta name="build" content="([0-9a-f]{64})"\/>/;
const RELAY = '<meta name="relay" content="on"/>';
/** The only picture that a card may have; its origin is PUBLIC_ORIGIN. */
const CARD = /<meta property="og:image" content="https?:\/\/[\w.:[\]-]+\/card\.png"\/>/;
const SIGNALING = /<meta name="signaling" content="(https?:\/\/[\w.:[\]-]+)"\/>/;

/**
 * Takes the nonce, the number of the build and the settings out of a page. Nothing else can hide in
 * them: each has one form, and stays in the text where it has another one.
 */
export function takeOut(page: string): Plain {
  const nonces = new Set(Array.from(page.matchAll(NONCE), ([, value = ""]) => value));
  const [nonce = ""] = nonces;
  const regular = nonces.size === 1 && /^[0-9a-f]{32}$/.test(nonce);
  const build = BUILD.exec(page)?.[1] ?? null;
  const signaling = SIGNALING.exec(page)?.[1] ?? "";
  let html = regular ? page.replaceAll(` nonce="${nonce}"`, ' nonce=""') : page;
  if (build !== null) {
    html = html.replaceAll(build, NO_BUILD)
      .replaceAll(`>${shortBuild(build)}<`, `>${shortBuild(NO_BUILD)}<`);
  }
  const relay = html.includes(RELAY);
  html = html.replace(RELAY, "").replace(SIGNALING, "").replace(CARD, "");
  return { html, build, shown: { relay, signaling } };
}
