import { BUDGET_BYTES, namedScripts, problems, staticImports, sumUp } from "../../bench/page.ts";
import { assertEquals } from "../support/assert.ts";

Deno.test("namedScripts() finds scripts, preloads and imports of inline modules", () => {
  const html = `<link rel="stylesheet" href="/a.css"><link rel="modulepreload" href="/b.js">
    <link rel=preload as="script" href='/c.js'><script type="module" src="/d.js"></script>
    <script type="module" nonce="x">import { boot } from "/e.js"; import("/lazy.js");</script>
    <script>"import '/not.js'"</script>`;
  assertEquals(namedScripts(html).sort(), ["/b.js", "/c.js", "/d.js", "/e.js"]);
});

Deno.test("staticImports() reads minified code and leaves import() out", () => {
  const code = `import{a as b}from"./a.js";import"./b.js";import*as c from"./c.js";` +
    `export{d}from"./d.js";const e=import("./e.js");import f,{g}from'/f.js';import h from"preact";`;
  assertEquals(staticImports(code), ["./a.js", "./b.js", "./c.js", "./d.js", "/f.js"]);
});

Deno.test("problems() names a page that is too heavy and one that asks another host", () => {
  const origin = "http://127.0.0.1:1";
  const script = (url: string, bytes: number) => ({ url, type: "script", bytes });
  const light = sumUp("/", [script(`${origin}/a.js`, BUDGET_BYTES), script("data:,", 0)]);
  assertEquals(problems(light, origin), []);
  const heavy = sumUp("/", [script(`${origin}/a.js`, BUDGET_BYTES), script(`${origin}/b.js`, 1)]);
  assertEquals(problems(heavy, origin).length, 1);
  const chatty = sumUp("/", [script("http://other.invalid/a.js", 1)]);
  assertEquals(problems(chatty, origin), ["/ asks another host: http://other.invalid/a.js"]);
});
