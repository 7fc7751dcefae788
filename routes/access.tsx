import { HttpError, page } from "fresh";
import { AccessForm } from "../components/AccessForm.tsx";
import { access } from "../lib/server/access.ts";
import { clientOf } from "../lib/server/client_address.ts";
import { en } from "../lib/i18n/en.ts";
import { define } from "../lib/server/state.ts";

function home(headers: HeadersInit = {}): Response {
  return new Response(null, { status: 303, headers: { location: "/", ...headers } });
}

export const handler = define.handlers({
  GET: () => home(),
  async POST({ req, info }) {
    if (access.admits(req)) return home();
    const entry = await access.enter(req, clientOf(req, info));
    switch (entry.at) {
      case "in":
        return home({ "set-cookie": entry.cookie });
      case "wrong":
        return page({ problem: en.access.wrong }, { status: 401 });
      case "wait": {
        const headers = { "retry-after": String(entry.retry) };
        return page({ problem: en.access.wait(entry.retry) }, { status: 429, headers });
      }
      case "foreign":
        throw new HttpError(403);
    }
  },
});

export default define.page<typeof handler>(({ data }) => <AccessForm problem={data.problem} />);
