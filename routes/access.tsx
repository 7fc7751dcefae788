import { HttpError, page } from "fresh";
import { AccessForm } from "../components/AccessForm.tsx";
import { access } from "../lib/server/access.ts";
import { clientOf } from "../lib/ops/client_address.ts";
import { speechOf } from "../lib/i18n/catalogue.ts";
import { plural } from "../lib/i18n/format.ts";
import { define } from "../lib/server/state.ts";

function home(headers: HeadersInit = {}): Response {
  return new Response(null, { status: 303, headers: { location: "/", ...headers } });
}

export const handler = define.handlers({
  GET: () => home(),
  async POST({ req, info }) {
    if (access.admits(req) && !access.isSignedIn(req)) return home();
    const { island, pages } = speechOf(req);
    const entry = await access.enter(req, clientOf(req, info));
    switch (entry.at) {
      case "in":
      case "out":
        return home({ "set-cookie": entry.cookie });
      case "wrong":
        return page({ problem: pages.access.wrong }, { status: 401 });
      case "wait": {
        const headers = { "retry-after": String(entry.retry) };
        const problem = plural(island, pages.access.wait, entry.retry);
        return page({ problem }, { status: 429, headers });
      }
      case "foreign":
        throw new HttpError(403);
    }
  },
});

export default define.page<typeof handler>(({ data, req }) => (
  <AccessForm t={speechOf(req).pages} problem={data.problem} />
));
