import {
  assert,
  assertEquals,
  AssertionError,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";

class A {
  x = 1;
}
class B {
  x = 1;
}

const circle = (): unknown[] => {
  const list: unknown[] = [1];
  list.push(list);
  return list;
};

const EQUAL: readonly [unknown, unknown][] = [
  [NaN, NaN],
  [0, -0],
  [1n, 1n],
  [{ a: 1, b: [2] }, { b: [2], a: 1 }],
  [Object.create(null), {}],
  [new Set([1, { a: 1 }]), new Set([{ a: 1 }, 1])],
  [new Map([[{ k: 1 }, 2]]), new Map([[{ k: 1 }, 2]])],
  [new Date(5), new Date(5)],
  [/a/g, /a/g],
  [new URL("http://a.example"), new URL("http://a.example/")],
  [new Uint8Array([1, 2]), new Uint8Array([0, 1, 2]).subarray(1)],
  [new Uint8Array([1]).buffer, new Uint8Array([1]).buffer],
  [Object(1n), Object(1n)],
  [{ [Symbol.for("s")]: 1 }, { [Symbol.for("s")]: 1 }],
  [circle(), circle()],
];

const DIFFERENT: readonly [unknown, unknown][] = [
  [1, "1"],
  [null, undefined],
  [{ a: undefined }, {}],
  [{ a: undefined }, { b: undefined }],
  [new A(), new B()],
  [[1, 2], { 0: 1, 1: 2, length: 2 }],
  // deno-lint-ignore no-sparse-arrays -- the hole is what is tested
  [[1, , 2], [1, undefined, 2]],
  [new Set([1]), new Set([2])],
  [new Set([1]), new Set([1, 2])],
  [new Map([[1, 2]]), new Map([[1, 3]])],
  [new Date(5), new Date(6)],
  [/a/g, /a/],
  [new URL("http://a.example"), new URL("http://b.example")],
  [new Uint8Array([1]), new Uint8Array([2])],
  [new Uint8Array([1]), new Int8Array([1])],
  [new Uint8Array([1]), [1]],
  [new Uint8Array([1]).buffer, new Uint8Array([2]).buffer],
  [new Error("a"), new Error("b")],
  [new String("a"), new String("b")],
  [Object(1), 1],
  [{ [Symbol.for("s")]: 1 }, {}],
  [() => 1, () => 1],
];

Deno.test("assertEquals() accepts equal values", () => {
  for (const [a, b] of EQUAL) assertEquals(a, b);
});

Deno.test("assertEquals() rejects anything else, and shows the difference", () => {
  for (const [a, b] of DIFFERENT) {
    assertThrows(() => assertEquals(a, b), AssertionError, "Values are not equal");
    assertThrows(() => assertEquals(b, a), AssertionError);
  }
  const error = assertThrows(
    () => assertEquals({ a: [1, 2, 3] }, { a: [1, 4, 3] }, "in the list"),
    AssertionError,
    "in the list",
  );
  // deno-lint-ignore no-control-regex -- colors are stripped
  const lines = error.message.replace(/\x1b\[\d+m/g, "").split("\n").map((line) => line.trim());
  assert(lines.some((line) => /^- +2,$/.test(line)), error.message);
  assert(lines.some((line) => /^\+ +4,$/.test(line)), error.message);
});

Deno.test("assert() and assertMatch() fail with the message that they are given", () => {
  assert("something");
  assertThrows(() => assert(0, "why"), AssertionError, "why");
  assertMatch("abc", /b/);
  assertThrows(() => assertMatch("abc", /x/, "why"), AssertionError, "why");
});

Deno.test("assertThrows() returns what was thrown, if it is that", () => {
  const error = new RangeError("too far");
  const fail = () => {
    throw error;
  };
  assert(assertThrows(fail, RangeError) === error);
  assert(assertThrows(fail, Error, "far") === error);
  for (
    const wrong of [
      () => assertThrows(fail, TypeError),
      () => assertThrows(fail, RangeError, "near"),
      () => assertThrows(() => {}, RangeError),
      () =>
        assertThrows(() => {
          // deno-lint-ignore no-throw-literal -- throwing something else is what is tested
          throw "a text";
        }, Error),
    ]
  ) assert(failure(wrong) instanceof AssertionError);
});

function failure(body: () => unknown): unknown {
  try {
    body();
    return null;
  } catch (error) {
    return error;
  }
}

Deno.test("assertRejects() requires a promise, and the right rejection", async () => {
  const error = new RangeError("too far");
  assert(await assertRejects(() => Promise.reject(error), RangeError, "far") === error);
  for (
    const wrong of [
      () => Promise.resolve(),
      () => Promise.reject(new TypeError("x")),
      () => Promise.reject("a text"),
      (): Promise<void> => {
        throw error;
      },
    ]
  ) await assertRejects(() => assertRejects(wrong, RangeError), AssertionError);
});
