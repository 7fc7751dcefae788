import { walkSync } from "@std/fs/walk";
import {
  basename,
  dirname,
  extname,
  fromFileUrl,
  isAbsolute,
  join,
  relative,
  resolve,
  toFileUrl,
} from "@std/path";
import { assert, assertEquals, assertThrows } from "@std/assert";

async function withTree(test: (root: string) => void): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    await Deno.mkdir(join(root, "a", ".hidden"), { recursive: true });
    for (const path of ["a/one.ts", "a/two.js", "a/.hidden/three.ts", "four.ts"]) {
      await Deno.writeTextFile(join(root, path), "");
    }
    test(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

function names(root: string, options?: Parameters<typeof walkSync>[1]): string[] {
  return [...walkSync(root, options)].map(({ path }) => relative(root, path).replaceAll("\\", "/"))
    .sort();
}

Deno.test("walkSync() finds everything below the root, and the root", async () => {
  await withTree((root) => {
    const all = ["", "a", "a/.hidden", "a/.hidden/three.ts", "a/one.ts", "a/two.js", "four.ts"];
    assertEquals(names(root), all);
    const [first] = walkSync(root);
    assertEquals(first, {
      path: root,
      name: basename(root),
      isDirectory: true,
      isFile: false,
      isSymlink: false,
    });
    assertEquals([...walkSync(toFileUrl(root))].length, all.length);
  });
});

Deno.test("walkSync() skips what it is told to", async () => {
  await withTree((root) => {
    const ts = ["a/.hidden/three.ts", "a/one.ts", "four.ts"];
    assertEquals(names(root, { includeDirs: false, exts: ["ts"] }), ts);
    assertEquals(names(root, { includeDirs: false, exts: [".ts"], skip: [/hidden/g] }), [
      "a/one.ts",
      "four.ts",
    ]);
    assertEquals(names(root, { includeFiles: false }), ["", "a", "a/.hidden"]);
  });
});

Deno.test("walkSync() does not follow links, and throws if the root is missing", async () => {
  await withTree((root) => {
    if (Deno.build.os !== "windows") {
      Deno.symlinkSync(join(root, "a"), join(root, "link"));
      const link = [...walkSync(root)].find(({ name }) => name === "link");
      assert(link?.isSymlink === true && !link.isDirectory);
      assert(!names(root, { includeSymlinks: false }).includes("link"));
    }
    assertThrows(() => [...walkSync(join(root, "nothing"))], Deno.errors.NotFound);
  });
});

Deno.test({
  name: "paths are split and joined",
  ignore: Deno.build.os === "windows",
  fn() {
    assertEquals(join("/a", "../b", "./c"), "/b/c");
    assertEquals([basename("/a/b.ts"), basename("/a/b.ts", ".ts")], ["b.ts", "b"]);
    assertEquals([dirname("/a/b.ts"), extname("/a/b.test.ts")], ["/a", ".ts"]);
    assertEquals([isAbsolute("/a"), isAbsolute("a")], [true, false]);
    assertEquals(relative("/a/b", "/a/c/d"), "../c/d");
    assertEquals(resolve("/a", "b", "/c"), "/c");
    assertEquals(toFileUrl("/a b#c%").href, "file:///a%20b%23c%25");
    assertEquals(fromFileUrl("file:///a%20b"), "/a b");
    assertThrows(() => fromFileUrl("http://a/b"), TypeError);
  },
});
