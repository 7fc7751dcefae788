/**
 * No line of the code and its tests is longer than {@linkcode COLUMNS}.
 *
 * @module
 */
import { assert, assertEquals } from "./support/assert.ts";
import { PROJECT } from "./support/project.ts";
import { COLUMNS, overlong } from "./house/counts.ts";

/** Folders and files with the project's own code. */
const CODE = [
  ...["lib", "islands", "components", "routes", "packages", "tests", "bench"],
  ...["main.ts", "dev.ts"],
];

/** The paths of all sources at and below `path`, relative to the project. */
function sourcesBelow(path: string): string[] {
  if (!Deno.statSync(PROJECT + path).isDirectory) return [path];
  return [...Deno.readDirSync(PROJECT + path)].flatMap(({ name, isDirectory }) => {
    if (isDirectory) return sourcesBelow(`${path}/${name}`);
    return /\.(?:tsx?|css)$/.test(name) ? [`${path}/${name}`] : [];
  });
}

Deno.test(`no line of code has more than ${COLUMNS} columns`, () => {
  const files = CODE.flatMap(sourcesBelow).sort();
  assert(files.length > 400, `${files.length} files`);
  const lines = files.flatMap((file) =>
    overlong(Deno.readTextFileSync(PROJECT + file)).map((line) => `${file}:${line}`)
  );
  assertEquals(lines, []);
});
