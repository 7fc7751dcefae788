import { define } from "../lib/server/state.ts";

export default define.page(() => <main>Something went wrong.</main>);
