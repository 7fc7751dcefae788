/** Imported by the generated `_fresh/server.js`; not for apps. */
export { applySnapshot, type Snapshot } from "./snapshot.ts";
