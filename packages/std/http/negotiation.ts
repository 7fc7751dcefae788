/**
 * Content negotiation (RFC 9110 §12.5).
 *
 * @module
 */

interface Wish {
  readonly value: string;
  readonly q: number;
}

/** The values of a header with their qualities, in their order in the header. */
function wishes(header: string): Wish[] {
  return header.split(",").flatMap((part) => {
    const [value = "", ...parameters] = part.split(";").map((text) => text.trim().toLowerCase());
    if (value === "") return [];
    const q = parameters.find((text) => text.startsWith("q="))?.slice(2);
    return [{ value, q: q === undefined ? 1 : Number(q) }];
  });
}

/**
 * The one of `encodings` that a request's Accept-Encoding prefers, or `undefined` if it accepts
 * none of them. Without that header it is the first one.
 */
export function acceptsEncodings<T extends string = string>(
  request: Pick<Request, "headers">,
  ...encodings: T[]
): T | undefined {
  const header = request.headers.get("accept-encoding");
  if (!header) return encodings[0];
  const wanted = wishes(header);
  const rest = wanted.find(({ value }) => value === "*");
  const lowest = Math.min(1, ...wanted.map(({ q }) => q || 1));
  const rated = encodings.flatMap((encoding) => {
    const place = wanted.findIndex(({ value }) => value === encoding);
    // Encodings not in the header: identity is always acceptable, the others only with a `*`.
    const q = wanted[place]?.q ?? rest?.q ?? (encoding === "identity" ? lowest : 0);
    return q > 0 ? [{ encoding, q, place: place === -1 ? wanted.length : place }] : [];
  });
  rated.sort((a, b) => b.q - a.q || a.place - b.place);
  return rated[0]?.encoding;
}
