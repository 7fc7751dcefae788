/**
 * The access key of a server that lets only those who know it create rooms. Entering it once sets a
 * cookie that is valid for a while; joining needs neither key nor cookie.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHmac, scryptSync } from "node:crypto";
import { timingSafeEqual } from "@std/crypto/timing-safe-equal";
import { getCookies, setCookie } from "@std/http/cookie";
import { type Clock, systemClock } from "../ops/clock.ts";
import { config } from "../ops/config.ts";
import { readForm } from "./form.ts";
import { log } from "../ops/log.ts";
import { type Counters, metrics } from "../ops/metrics.ts";
import { GuessLimit, NetworkLimit } from "../ops/rate_limits.ts";

/** How long a cookie is valid, in seconds: a working day. */
const COOKIE_S = 12 * 3_600;

/**
 * Wrong keys allowed a minute per client, who is then blocked for longer each time. There is no
 * total: it would let strangers who fail lock out those who know the key.
 */
const WRONG_PER_MINUTE = 10;

/** At most one line of log about wrong keys in this time, in ms: they are many, if they are. */
const LOG_EVERY_MS = 60_000;

const COOKIE_PATTERN = /^(\d{10,11})\.([A-Za-z0-9_-]{43})$/;

/** Result of a submitted form. */
export type Entry =
  /** The key was right; `cookie` is the value of Set-Cookie. */
  | { readonly at: "in"; readonly cookie: string }
  | { readonly at: "wrong" }
  /** Too many wrong keys; `retry` is in seconds. */
  | { readonly at: "wait"; readonly retry: number }
  /** The form's button was to sign out; `cookie` is the value of Set-Cookie that forgets it. */
  | { readonly at: "out"; readonly cookie: string }
  /** The form was refused: too long, or sent by another site's page. */
  | { readonly at: "foreign" };

/** Options of {@linkcode Access}. */
export interface AccessOptions {
  /** Each of them is right; empty if the server asks for none. */
  readonly keys: readonly string[];
  /** True if browsers use HTTPS: then the cookie is sent over HTTPS only. */
  readonly secure: boolean;
  readonly clock?: Clock;
  /** Milliseconds since 1970, so that cookies are valid across instances and restarts. */
  readonly now?: () => number;
  readonly counters?: Counters;
}

/** Decides whether a request comes from somebody who entered the key. */
export class Access {
  /** One for each key: what its cookies are signed with, and what it is compared by. */
  readonly #keys: readonly { readonly secret: Buffer; readonly right: Buffer }[];
  readonly #secure: boolean;
  readonly #now: () => number;
  readonly #wrong: NetworkLimit<GuessLimit>;
  readonly #clock: Clock;
  readonly #counters: Counters | undefined;
  /** Wrong keys that no line of log has counted yet, and when one may. */
  #unlogged = 0;
  #logAt = -Infinity;

  constructor(
    { keys, secure, clock = systemClock, now = Date.now, counters }: AccessOptions,
  ) {
    // Slow on purpose, and done once: otherwise somebody who obtained a cookie could test keys
    // against it as fast as they can hash. The salt is fixed, so that cookies are valid across
    // instances and restarts.
    this.#keys = keys.map((key) => {
      const secret = scryptSync(key, "img-e2e/1 access cookie", 32);
      return { secret, right: mac(secret, `key ${key}`) };
    });
    this.#secure = secure;
    this.#now = now;
    this.#clock = clock;
    this.#counters = counters;
    this.#wrong = new NetworkLimit((clients) =>
      new GuessLimit(WRONG_PER_MINUTE * clients, { clock })
    );
  }

  /**
   * True if this request may create rooms: its cookie is ours and has not expired, or none is
   * needed.
   */
  admits(req: Request): boolean {
    if (this.#keys.length === 0) return true;
    const [, expires = "", signature = ""] = COOKIE_PATTERN.exec(this.#cookieOf(req)) ?? [];
    const given = Buffer.from(signature, "base64url");
    // All keys are tried, so that timing does not tell which one it is.
    const known = this.#keys.filter(({ secret }) => {
      const expected = mac(secret, `cookie ${expires}`);
      return given.length === expected.length && timingSafeEqual(given, expected);
    });
    return known.length > 0 && Number(expires) * 1_000 > this.#now();
  }

  /** True if the server asks for a key, and this request came with a valid cookie. */
  isSignedIn(req: Request): boolean {
    return this.#keys.length > 0 && this.admits(req);
  }

  /**
   * Handles the form with the field `key`, and the one that signs out, whose address has `?out`.
   * The limits of its client are counted under `address`.
   */
  async enter(req: Request, address: string): Promise<Entry> {
    const site = req.headers.get("sec-fetch-site") ?? "same-origin";
    const form = await readForm(req);
    // Otherwise another site's page could have all its visitors guess, each from an address of
    // their own.
    if (form === null || !/^(same-origin|none)$/.test(site)) return { at: "foreign" };
    if (new URL(req.url).searchParams.has("out")) return { at: "out", cookie: this.#cookie("", 0) };
    const wait = this.#wrong.take(address);
    if (wait > 0) {
      this.#counters?.count("access_keys", "wait");
      return { at: "wait", retry: Math.ceil(wait / 1_000) };
    }
    // Compares MACs, so that timing reveals neither the length nor the position of the first
    // difference.
    const text = `key ${(form.get("key") ?? "").trim()}`;
    const [found] = this.#keys.filter(({ secret, right }) =>
      timingSafeEqual(mac(secret, text), right)
    );
    if (found === undefined) {
      this.#report();
      return { at: "wrong" };
    }
    this.#counters?.count("access_keys", "right");
    this.#wrong.giveBack(address);
    return { at: "in", cookie: this.#issue(found.secret) };
  }

  /** Counts a wrong key. The log says how many there were, and never from where. */
  #report(): void {
    this.#counters?.count("access_keys", "wrong");
    this.#unlogged++;
    if (this.#clock.now() < this.#logAt) return;
    this.#logAt = this.#clock.now() + LOG_EVERY_MS;
    log.warn("wrong access keys", { count: this.#unlogged });
    this.#unlogged = 0;
  }

  #issue(secret: Buffer): string {
    const expires = Math.floor(this.#now() / 1_000) + COOKIE_S;
    const signature = mac(secret, `cookie ${expires}`).toString("base64url");
    return this.#cookie(`${expires}.${signature}`, COOKIE_S);
  }

  #cookie(value: string, maxAge: number): string {
    const headers = new Headers();
    setCookie(headers, {
      name: this.#name,
      value,
      path: "/",
      maxAge,
      httpOnly: true,
      sameSite: "Strict",
      secure: this.#secure,
    });
    return headers.get("set-cookie") ?? "";
  }

  /** `__Host-` keeps other hosts of the same domain, and plain HTTP, from setting the cookie. */
  get #name(): string {
    return this.#secure ? "__Host-access" : "access";
  }

  #cookieOf(req: Request): string {
    return getCookies(req.headers)[this.#name] ?? "";
  }
}

function mac(secret: Buffer, text: string): Buffer {
  return createHmac("sha256", secret).update(text).digest();
}

const { ACCESS_KEY, PUBLIC_ORIGIN, TLS_CERT } = config();

/** The access check of this process, configured by ACCESS_KEY. */
export const access: Access = new Access({
  keys: ACCESS_KEY,
  secure: TLS_CERT !== "" || PUBLIC_ORIGIN.some((origin) => origin.startsWith("https:")),
  counters: metrics,
});
