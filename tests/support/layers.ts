/**
 * The folders of the product in one order, lowest layer first: a file imports only from its own
 * folder and from those listed before it. docs/architecture.md says what each is for.
 *
 * @module
 */

/** Where the code of a folder runs. */
export type Side = "both" | "browser" | "server";

/** A folder, and where its code runs. */
export interface Layer {
  readonly folder: string;
  readonly side: Side;
}

/** Every folder with code, lowest layer first. */
export const LAYERS: readonly Layer[] = [
  { folder: "lib/protocol", side: "both" },
  { folder: "lib/e2e", side: "both" },
  { folder: "lib/i18n", side: "both" },
  { folder: "lib/image", side: "browser" },
  { folder: "lib/viewer", side: "browser" },
  { folder: "lib/connection", side: "browser" },
  { folder: "lib/pictures", side: "browser" },
  { folder: "lib/page_restore", side: "browser" },
  { folder: "lib/device", side: "browser" },
  { folder: "lib/pages", side: "browser" },
  { folder: "lib/app", side: "browser" },
  { folder: "components", side: "both" },
  { folder: "islands", side: "browser" },
  { folder: "lib/ops", side: "server" },
  { folder: "lib/rooms", side: "server" },
  { folder: "lib/server", side: "server" },
  { folder: "routes", side: "server" },
  { folder: "lib/release", side: "server" },
];

/** The folders whose code runs in a browser. */
export const BROWSER_FOLDERS: readonly string[] = LAYERS
  .filter(({ side }) => side !== "server")
  .map(({ folder }) => folder);
