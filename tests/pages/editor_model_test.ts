import { UNTOUCHED } from "../../lib/image/edits.ts";
import { EditorModel } from "../../lib/pages/editor_model.ts";
import { assertEquals } from "../support/assert.ts";
import { FakeBitmap } from "../pictures/pictures.ts";

function start() {
  const bitmap = new FakeBitmap();
  return { bitmap, model: new EditorModel(bitmap, UNTOUCHED) };
}

function rounded(model: EditorModel): unknown[] {
  return model.areas.map((
    { kind, rect },
  ) => [kind, ...Object.values(rect).map((value) => Math.round(100 * value))]);
}

Deno.test("what is drawn from corner to corner is one area, and one undo step", () => {
  const { model } = start();
  model.down({ x: 0.2, y: 0.2 });
  for (const at of [0.3, 0.4, 0.5]) model.move({ x: at, y: at });
  model.up();
  assertEquals(rounded(model), [["black", 20, 20, 30, 30]]);
  assertEquals(model.chosen.value, 0);
  model.undo();
  assertEquals([rounded(model), model.undoable], [[], false]);
  model.undo();
  assertEquals(model.edits.value, UNTOUCHED);
});

Deno.test("an area is moved, or resized at its corner, as one step", () => {
  const { model } = start();
  model.addInMiddle();
  model.down({ x: 0.4, y: 0.4 });
  model.move({ x: 0.45, y: 0.45 });
  model.move({ x: 0.5, y: 0.6 });
  model.up();
  assertEquals(rounded(model), [["black", 45, 55, 30, 30]]);
  model.down({ x: 0.75, y: 0.85 });
  model.move({ x: 0.85, y: 0.95 });
  model.up();
  assertEquals(rounded(model), [["black", 45, 55, 40, 40]]);
  model.undo();
  assertEquals(rounded(model), [["black", 45, 55, 30, 30]]);
  model.undo();
  assertEquals(rounded(model), [["black", 35, 35, 30, 30]]);
});

Deno.test("a movement without a beginning changes nothing", () => {
  const { model } = start();
  model.move({ x: 0.5, y: 0.5 });
  model.up();
  assertEquals(model.edits.value, UNTOUCHED);
});

Deno.test("keys move the chosen area, resize it, and remove it", () => {
  const { model } = start();
  model.tool.value = "pixels";
  model.addInMiddle();
  model.shift({ x: 0.1, y: -0.05 }, { resize: false });
  model.shift({ x: 0.1, y: 0 }, { resize: true });
  assertEquals(rounded(model), [["pixels", 45, 30, 40, 30]]);
  model.remove(0);
  assertEquals([rounded(model), model.chosen.value], [[], null]);
  model.shift({ x: 0.1, y: 0 }, { resize: false });
  assertEquals(rounded(model), []);
});

Deno.test("there is one crop; a second one replaces it", () => {
  const { model } = start();
  model.tool.value = "crop";
  model.addInMiddle();
  model.down({ x: 0.9, y: 0.9 });
  model.move({ x: 0.5, y: 0.5 });
  model.up();
  assertEquals(rounded(model), [["crop", 50, 50, 40, 40]]);
});

Deno.test("on a rotated picture an area stays in place, and rotates with it", () => {
  const { model } = start();
  model.turn(1);
  model.down({ x: 0.8, y: 0 });
  model.move({ x: 1, y: 0.5 });
  model.up();
  assertEquals(rounded(model), [["black", 80, 0, 20, 50]]);
  model.turn(-1);
  assertEquals(rounded(model), [["black", 0, 0, 50, 20]]);
});

Deno.test("the picture is freed with the editor", () => {
  const { model, bitmap } = start();
  model.close();
  assertEquals(bitmap.closes, 1);
});
