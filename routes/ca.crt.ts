import { HttpError } from "fresh";
import { authority } from "../lib/server/authority.ts";
import { define } from "../lib/server/state.ts";

export const handler = define.handlers({
  GET() {
    if (authority === null) throw new HttpError(404);
    // By this type iPhones and Android recognize it.
    const headers = { "content-type": "application/x-x509-ca-cert", "cache-control": "no-store" };
    return new Response(new Uint8Array(authority), { headers });
  },
});
