/** The stand-in's own parts of routing. */
import { deepEqual, equal, throws } from "node:assert/strict";
import { compareRoutes, pathToPattern } from "../../../packages/fresh/src/router.ts";

Deno.test("pathToPattern() translates file names", () => {
  equal(pathToPattern("index"), "/");
  equal(pathToPattern("ws/[room]"), "/ws/:room");
  equal(pathToPattern("(a)/b/index"), "/b");
  equal(pathToPattern("[...all]"), "/:all*");
  equal(pathToPattern("a/[[b]]"), "/a{/:b}?");
  equal(pathToPattern("[a]-[b]"), "/:a-:b");
  throws(() => pathToPattern("[a][b]"), SyntaxError);
});

Deno.test("compareRoutes() puts the more specific route first", () => {
  const ids = ["[...all]", "a/[x]", "[b]", "a/[...y]", "a/b", "a/[x]/c"];
  deepEqual(ids.sort(compareRoutes), ["a/b", "a/[x]/c", "a/[x]", "a/[...y]", "[b]", "[...all]"]);
});
