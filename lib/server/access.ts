/**
 * The access key of a server that makes rooms only for those who know it. Who shows it once gets a
 * cookie that says so for a while; joining never asks for either.
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
import { GuessLimit, RateLimit } from "../ops/rate_limits.ts";

/** How long a cookie is good for, in seconds: a day's work. */
const COOKIE_S = 12 * 3_600;

/** Wrong keys a minute of one client, who is then shut out for longer each time, and of all. */
const WRONG_PER_MINUTE = 10;
const WRONG_PER_MINUTE_TOTAL = 600;

/** The key of what counts for all together. */
const ALL = "";

const COOKIE_PATTERN = /^(\d{10,11})\.([A-Za-z0-9_-]{43})$/;

/** What came of a form. */
export type Entry =
  /** The key was right: the value of Set-Cookie. */
  | { readonly at: "in"; readonly cookie: string }
  | { readonly at: "wrong" }
  /** Too many wrong ones; `retry` in seconds. */
  | { readonly at: "wait"; readonly retry: number }
  /** The form is not ours: too long, or sent by another site's page. */
  | { readonly at: "foreign" };

/** Options of {@linkcode Access}. */
export interface AccessOptions {
  /** Empty where none is asked for. */
  readonly key: string;
  /** True where browsers come over HTTPS: then the cookie goes over nothing else. */
  readonly secure: boolean;
  readonly clock?: Clock;
  /** Milliseconds since 1970, for cookies that other instances and restarts understand. */
  readonly now?: () => number;
}

/** Knows whether a request comes from somebody who showed the key. */
export class Access {
  readonly #secret: Buffer | null;
  readonly #right: Buffer;
  readonly #secure: boolean;
  readonly #now: () => number;
  readonly #wrong: GuessLimit;
  readonly #wrongTotal: RateLimit;

  constructor({ key, secure, clock = systemClock, now = Date.now }: AccessOptions) {
    // Slow, once: who has got hold of a cookie could otherwise try keys on it as quickly as he can
    // hash. The same for all instances and restarts, so that cookies outlive them.
    this.#secret = key === "" ? null : scryptSync(key, "img-e2e/1 access cookie", 32);
    this.#right = this.#mac(`key ${key}`);
    this.#secure = secure;
    this.#now = now;
    this.#wrong = new GuessLimit(WRONG_PER_MINUTE, { clock });
    this.#wrongTotal = new RateLimit(WRONG_PER_MINUTE_TOTAL, { clock });
  }

  /**
   * True where this request may make rooms: its cookie is ours and not too old, or none is needed.
   */
  admits(req: Request): boolean {
    if (this.#secret === null) return true;
    const [, expires = "", mac = ""] = COOKIE_PATTERN.exec(this.#cookieOf(req)) ?? [];
    const given = Buffer.from(mac, "base64url");
    const expected = this.#mac(`cookie ${expires}`);
    return given.length === expected.length && timingSafeEqual(given, expected) &&
      Number(expires) * 1_000 > this.#now();
  }

  /** Takes the form with the field `key`, from the client that limits know as `address`. */
  async enter(req: Request, address: string): Promise<Entry> {
    const site = req.headers.get("sec-fetch-site") ?? "same-origin";
    const form = await readForm(req);
    // Another site's page would have all its visitors guess, each from an address of his own.
    if (form === null || !/^(same-origin|none)$/.test(site)) return { at: "foreign" };
    const wait = this.#wrong.take(address) || this.#wrongTotal.take(ALL);
    if (wait > 0) return { at: "wait", retry: Math.ceil(wait / 1_000) };
    // MACs of both, so that neither the length nor the place of the first difference shows in the
    // time.
    const given = this.#mac(`key ${(form.get("key") ?? "").trim()}`);
    if (this.#secret === null || !timingSafeEqual(given, this.#right)) return { at: "wrong" };
    this.#wrong.giveBack(address);
    this.#wrongTotal.giveBack(ALL);
    return { at: "in", cookie: this.#issue() };
  }

  #issue(): string {
    const expires = Math.floor(this.#now() / 1_000) + COOKIE_S;
    const mac = this.#mac(`cookie ${expires}`).toString("base64url");
    const headers = new Headers();
    setCookie(headers, {
      name: this.#name,
      value: `${expires}.${mac}`,
      path: "/",
      maxAge: COOKIE_S,
      httpOnly: true,
      sameSite: "Strict",
      secure: this.#secure,
    });
    return headers.get("set-cookie") ?? "";
  }

  /** With the prefix that keeps other hosts of the same domain, and plain HTTP, from setting it. */
  get #name(): string {
    return this.#secure ? "__Host-access" : "access";
  }

  #cookieOf(req: Request): string {
    return getCookies(req.headers)[this.#name] ?? "";
  }

  #mac(text: string): Buffer {
    return createHmac("sha256", this.#secret ?? "").update(text).digest();
  }
}

const { ACCESS_KEY, PUBLIC_ORIGIN, TLS_CERT } = config();

/** The access of this process, as ACCESS_KEY says. */
export const access: Access = new Access({
  key: ACCESS_KEY,
  secure: TLS_CERT !== "" || PUBLIC_ORIGIN.some((origin) => origin.startsWith("https:")),
});
