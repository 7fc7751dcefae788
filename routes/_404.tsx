import { page } from "fresh";
import { define } from "../lib/server/state.ts";

// The status is said here because upstream renders a _404 page with 200 when nobody says it.
export const handler = define.handlers(() => page(undefined, { status: 404 }));

export default define.page<typeof handler>(() => <main>There is nothing here.</main>);
