import { startApp } from "./app.ts";
import { assert, assertEquals, assertRejects } from "./assert.ts";

Deno.test("the app starts with its task's permissions, answers, and can be restarted", async () => {
  await using app = await startApp();
  for (let round = 0; round < 2; round++) {
    const response = await fetch(app.url);
    assertEquals(response.status, 200);
    assert((await response.text()).startsWith("<!DOCTYPE html>"));
    await app.restart();
  }
  await app.stop();
  await assertRejects(() => fetch(app.url), TypeError);
});
