/**
 * Cookies (RFC 6265).
 *
 * @module
 */

/** A cookie to set. */
export interface Cookie {
  name: string;
  value: string;
  /** In seconds. */
  maxAge?: number;
  path?: string;
  secure?: boolean;
  httpOnly?: boolean;
  sameSite?: "Strict" | "Lax" | "None";
}

/** Characters of a token (RFC 9110 §5.6.2), which a cookie's name has to be. */
const NAME = /^[!#$%&'*+\-.^\w`|~]+$/;

/**
 * Characters that a value or a path can't contain: control characters, and `;`, which would end it.
 */
// deno-lint-ignore no-control-regex -- control characters are what is looked for
const ENDS = /[\x00-\x1f\x7f;]/;

/** The cookies of a request by name; if a name occurs several times, the last one wins. */
export function getCookies(headers: Headers): Record<string, string> {
  const cookies: Record<string, string> = Object.create(null);
  for (const part of headers.get("Cookie")?.split(";") ?? []) {
    const [name = "", ...rest] = part.split("=");
    cookies[name.trim()] = rest.join("=");
  }
  return cookies;
}

/**
 * Adds a Set-Cookie header to a response.
 *
 * @throws {SyntaxError} for an invalid name, value or path
 * @throws {RangeError} for a negative `maxAge`
 */
export function setCookie(headers: Headers, cookie: Cookie): void {
  const { name, value, maxAge, httpOnly, sameSite } = cookie;
  if (name === "") return;
  if (!NAME.test(name)) throw new SyntaxError(`Invalid cookie name: "${name}"`);
  // deno-lint-ignore no-control-regex -- all of ASCII
  if (/[\s",\\]/.test(value) || ENDS.test(value) || !/^[\x00-\x7f]*$/.test(value)) {
    throw new SyntaxError(`RFC2616 cookie '${name}' cannot have this value`);
  }
  // Browsers enforce what these prefixes promise.
  const isHost = name.startsWith("__Host-");
  const secure = cookie.secure === true || isHost || name.startsWith("__Secure-");
  const path = isHost ? "/" : cookie.path;
  const parts = [`${name}=${value}`];
  if (secure) parts.push("Secure");
  if (httpOnly === true) parts.push("HttpOnly");
  if (maxAge !== undefined && Number.isInteger(maxAge)) {
    if (maxAge < 0) {
      throw new RangeError(`Cannot serialize cookie as Max-Age must be >= 0: received ${maxAge}`);
    }
    parts.push(`Max-Age=${maxAge}`);
  }
  if (sameSite !== undefined) parts.push(`SameSite=${sameSite}`);
  if (path !== undefined) {
    if (ENDS.test(path)) {
      throw new SyntaxError(`Cookie path "${path}" contains invalid character`);
    }
    parts.push(`Path=${path}`);
  }
  headers.append("Set-Cookie", parts.join("; "));
}
