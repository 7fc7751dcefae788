import { mergeChunks, type Scripts } from "../../packages/fresh/src/dev/merge.ts";
import { assert, assertEquals, assertMatch, assertRejects } from "../support/assert.ts";

const ENTRIES = { client: "client.js", islands: ["A.js", "B.js"] };

/** As the bundler writes them: short names, one list of exports at the end. */
function bundled(): Scripts {
  return new Map([
    ["client.js", `import{a as x}from"./chunk-1.js";function b(){return x()}export{b as boot};`],
    ["chunk-1.js", `let n=0;function i(){n++;return n}export{i as a,n as b};`],
    [
      "A.js",
      `import{a as c,b as d}from"./chunk-1.js";import{a}from"./chunk-2.js";` +
      `function e(){return[c(),d,a,()=>import("./lazy.js")]}export{e as default};`,
    ],
    ["chunk-2.js", `import"./chunk-3.js";var a="two";export{a};`],
    ["chunk-3.js", `globalThis.effects=(globalThis.effects??0)+1;`],
    ["B.js", `import{b as d}from"./chunk-1.js";export{d as default};`],
    [
      "lazy.js",
      `import{a as c}from"./chunk-1.js";import{a}from"./chunk-4.js";export{c as count,a as four};`,
    ],
    ["chunk-4.js", `var a=4;export{a};`],
  ]);
}

async function run(scripts: Scripts): Promise<unknown> {
  const directory = await Deno.makeTempDir();
  try {
    for (const [name, code] of scripts) await Deno.writeTextFile(`${directory}/${name}`, code);
    const at = (name: string) => import(`file://${directory}/${name}`);
    const { boot } = await at("client.js");
    const { default: a } = await at("A.js");
    const first = boot();
    const [second, live, two, lazy] = a();
    const { count, four } = await lazy();
    return {
      first,
      second,
      live,
      two,
      third: count(),
      four,
      effects: Reflect.get(globalThis, "effects"),
    };
  } finally {
    Reflect.deleteProperty(globalThis, "effects");
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("chunks are merged into each page that needs them, and lazy ones stay", async () => {
  const merged = await mergeChunks(bundled(), ENTRIES);
  assertEquals([...merged.keys()].sort(), ["A.js", "B.js", "chunk-4.js", "client.js", "lazy.js"]);
});

Deno.test("merged code behaves as before: one state, live bindings, effects once", async () => {
  const before = await run(bundled());
  const after = await run(await mergeChunks(bundled(), ENTRIES));
  assertEquals(before, { first: 1, second: 2, live: 2, two: "two", third: 3, four: 4, effects: 1 });
  assertEquals(after, before);
});

Deno.test("chunks of some pages get a file of their own", async () => {
  const scripts = bundled().set("C.js", `import{a}from"./chunk-5.js";export{a as default};`)
    .set("chunk-5.js", `var a=5;export{a};`);
  scripts.set("B.js", `import{a}from"./chunk-5.js";export{a as default};`);
  const merged = await mergeChunks(scripts, { ...ENTRIES, islands: ["A.js", "B.js", "C.js"] });
  assert(merged.has("shared-B-C.js"));
  assertEquals(merged.get("C.js")?.includes("./shared-B-C.js"), true);
});

Deno.test("a chunk that is imported in an unexpected way stops the build", async () => {
  const scripts = bundled().set("B.js", `import*as d from"./chunk-1.js";export{d as default};`);
  const error = await assertRejects(() => mergeChunks(scripts, ENTRIES), Error);
  assertMatch(error.message, /^Cannot merge chunk-1\.js/);
});
