import { page } from "fresh";
import { ErrorPage } from "../components/ErrorPage.tsx";
import { en } from "../lib/i18n/en.ts";
import { define } from "../lib/server/state.ts";

// The status is said here because upstream renders a _404 page with 200 when nobody says it.
export const handler = define.handlers(() => page(undefined, { status: 404 }));

export default define.page<typeof handler>(() => (
  <ErrorPage title={en.error.notFoundTitle} text={en.error.notFound} />
));
