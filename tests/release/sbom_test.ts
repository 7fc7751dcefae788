import { Buffer } from "node:buffer";
import { billOf } from "../../lib/release/sbom.ts";
import { assert, assertEquals, assertThrows } from "../support/assert.ts";
import { PROJECT } from "../support/project.ts";

const PROJECT_NAMES = { name: "app", version: "1.0.0", deno: "2.9.6" };
const lock = JSON.parse(await Deno.readTextFile(`${PROJECT}deno.lock`));

Deno.test("the bill names every package of deno.lock, with the hash that Deno checks", () => {
  const { components } = billOf(lock, PROJECT_NAMES);
  const listed = new Map(components.map(({ name, version, hashes }) => [
    `${name}@${version}`,
    `sha512-${Buffer.from(hashes[0]!.content, "hex").toString("base64")}`,
  ]));
  for (const [key, { integrity }] of Object.entries<{ integrity: string }>(lock.npm)) {
    assertEquals(listed.get(key.replace(/_.*$/, "")), integrity, key);
  }
});

Deno.test("the bill's dependencies are packages of the bill", () => {
  const { components, dependencies } = billOf(lock, PROJECT_NAMES);
  const refs = new Set(components.map((component) => component["bom-ref"]));
  for (const { ref, dependsOn } of dependencies) {
    for (const each of [ref, ...dependsOn]) assert(refs.has(each), each);
  }
  assert(dependencies.some(({ dependsOn }) => dependsOn.length > 0));
});

Deno.test("billOf() refuses a lock file that it does not understand", () => {
  for (
    const npm of [
      { "a@1.0.0": { integrity: "sha1-x" } },
      { a: { integrity: "sha512-x" } },
      { "a@1.0.0": { integrity: "sha512-x", dependencies: ["b"] } },
    ]
  ) assertThrows(() => billOf({ npm }, PROJECT_NAMES), TypeError);
});
