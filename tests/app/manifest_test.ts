/**
 * The manifest of the installed app names only what exists.
 *
 * @module
 */
import * as names from "../../lib/app/names.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { PROJECT } from "../support/project.ts";

interface Icon {
  readonly src: string;
  readonly type: string;
  readonly sizes: string;
  readonly purpose?: string;
}

interface Manifest {
  readonly icons: readonly Icon[];
  readonly start_url: string;
  readonly shortcuts: readonly { readonly url: string }[];
  readonly share_target: {
    readonly action: string;
    readonly method: string;
    readonly enctype: string;
    readonly params: {
      readonly files: readonly { readonly name: string; readonly accept: readonly string[] }[];
    };
  };
  readonly file_handlers: readonly {
    readonly action: string;
    readonly accept: Readonly<Record<string, readonly string[]>>;
  }[];
}

const manifest: Manifest = JSON.parse(
  await Deno.readTextFile(`${PROJECT}static/manifest.webmanifest`),
);

Deno.test("every icon is there, as large as the manifest says", async () => {
  const seen: string[] = [];
  for (const { src, type, sizes, purpose = "any" } of manifest.icons) {
    const bytes = await Deno.readFile(`${PROJECT}static${src}`);
    if (type !== "image/png") continue;
    const view = new DataView(bytes.buffer);
    assertEquals(`${src} ${view.getUint32(16)}x${view.getUint32(20)}`, `${src} ${sizes}`);
    seen.push(`${sizes} ${purpose}`);
  }
  assertEquals(seen, ["192x192 any", "512x512 any", "512x512 maskable"]);
});

Deno.test("the manifest shares pictures to the service worker's address and field", () => {
  const { action, method, enctype, params } = manifest.share_target;
  assertEquals([action, method, enctype], [names.SHARE_PATH, "POST", "multipart/form-data"]);
  assertEquals(params.files.map(({ name }) => name), [names.SHARE_FIELD]);
});

Deno.test("the manifest accepts the same file types as the file dialog", async () => {
  const source = await Deno.readTextFile(`${PROJECT}components/PictureInput.tsx`);
  const lists = Array.from(source.matchAll(/= "(,?image\/[^"]+)"/g), ([, list = ""]) => list);
  const types = lists.join("").split(",").filter((type) => type.startsWith("image/")).sort();
  assertEquals(lists.length, 2);
  assert(types.includes("image/jpeg") && types.includes("image/heic"));
  assertEquals(manifest.share_target.params.files[0]?.accept.toSorted(), types);
  assertEquals(Object.keys(manifest.file_handlers[0]?.accept ?? {}).sort(), types);
});

Deno.test("the service worker has the address that Trusted Types allow; routes exist", async () => {
  const environment = await Deno.readTextFile(`${PROJECT}lib/device/environment.ts`);
  assert(environment.includes(`pathname === "${names.WORKER_PATH}"`));
  for (const path of [names.OFFLINE_PAGE, names.SHARE_PATH]) {
    await Deno.stat(`${PROJECT}routes${path}.tsx`);
  }
  const offline = await Deno.readTextFile(`${PROJECT}routes/offline.tsx`);
  assert(offline.includes(`href="${names.OFFLINE_STYLES}"`));
});
