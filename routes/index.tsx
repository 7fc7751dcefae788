import { page } from "fresh";
import { AccessForm } from "../components/AccessForm.tsx";
import Send from "../islands/Send.tsx";
import { speechOf } from "../lib/i18n/catalogue.ts";
import { access } from "../lib/server/access.ts";
import { define } from "../lib/server/state.ts";

export const handler = define.handlers({
  GET: ({ req }) => page({ admitted: access.admits(req) }),
});

export default define.page<typeof handler>(({ data, req }) => {
  const { texts, pages } = speechOf(req);
  return data.admitted ? <Send texts={texts} /> : <AccessForm t={pages} problem={null} />;
});
