import { assert, assertEquals, assertRejects } from "./assert.ts";
import { serveBlank } from "./blank.ts";
import { withBrowser } from "./browser.ts";
import { fixture } from "./fixtures.ts";
import { assertLooksLike, looksOf, Sender, Viewer } from "./flow.ts";

/** As strict as the app's: what works here works there. */
const CSP =
  "default-src 'none'; script-src 'self'; img-src data:; require-trusted-types-for 'script'";

/** A page that plays the contract by a script of steps. */
function play(script: string, body = "") {
  return serveBlank({
    csp: CSP,
    body: `<main data-phase="idle"><p>Choose a picture to show once.</p>
      <input type="file"><select name="seconds"><option>10<option>3</select>
      <output data-field="share-link"></output>
      <button data-action="burn" disabled>Burn</button>${body}
      </main><script src="/play.js"></script>`,
    scripts: {
      "/play.js": `const main = document.querySelector("main");
        const to = (phase, reason) => {
          if (reason) main.dataset.reason = reason;
          main.dataset.phase = phase;
        };
        const later = () => new Promise((resolve) => setTimeout(resolve, 20));
        ${script}`,
    },
  });
}

Deno.test("waitPhase() does not miss a phase that was over before anybody looked", async () => {
  await using site = play(`document.querySelector("input").onchange = async () => {
    to("preparing"); await later(); to("waiting"); await later();
    to("sending"); await later(); to("delivered");
  };`);
  await withBrowser(async (browser) => {
    const sender = await Sender.open(await browser.newPage(), site.url);
    await sender.setSeconds(3);
    await sender.chooseFile(await fixture("gif"));
    await sender.waitFor(
      "the end",
      () => document.querySelector("main")?.dataset.phase === "delivered",
    );
    for (const phase of ["preparing", "waiting", "sending", "delivered"] as const) {
      assertEquals(await sender.waitPhase(phase), phase);
    }
    assertEquals(await sender.phases(), ["idle", "preparing", "waiting", "sending", "delivered"]);
    const value = await sender.page.evaluate(`document.querySelector("select").value`);
    assertEquals(value, "3");
  });
});

Deno.test("waitPhase() gives up at once, and says why, when the page failed instead", async () => {
  await using site = play(`document.querySelector("input").onchange = () => to("failed", "svg");`);
  await withBrowser(async (browser) => {
    const sender = await Sender.open(await browser.newPage(), site.url);
    await sender.chooseFile(await fixture("svg"));
    const error = await assertRejects(() => sender.waitPhase("waiting"), Error);
    for (const part of ["sender", "waiting", "idle → failed", "svg", "Choose a picture"]) {
      assert(error.message.includes(part), error.message);
    }
    assertEquals(await sender.waitReason("failed"), "svg");
    await sender.assertReadable();
  });
});

Deno.test("press() waits until a button can be pressed", async () => {
  await using site = play(`const button = document.querySelector("button");
    button.onclick = () => to("ended", "burned");
    setTimeout(() => button.disabled = false, 100);`);
  await withBrowser(async (browser) => {
    const sender = await Sender.open(await browser.newPage(), site.url);
    await sender.burn();
    assertEquals(await sender.waitReason("ended"), "burned");
  });
});

Deno.test("a wait that takes too long says what it waited for", async () => {
  await using site = play("");
  await withBrowser(async (browser) => {
    const sender = await Sender.open(await browser.newPage(), site.url);
    const error = await assertRejects(() => sender.shareLink({ timeout: 200 }), Error);
    assert(/waited for field share-link/.test(error.message), error.message);
  });
});

Deno.test("the canvas is measured as it is and as the screen shows it", async () => {
  // Draws the corners of the fixture.
  await using site = play(
    `const canvas = document.querySelector("canvas");
     const context = canvas.getContext("2d");
     const colours = ["rgb(220 40 40)", "rgb(40 180 60)", "rgb(50 80 220)", "rgb(235 200 40)"];
     colours.forEach((colour, i) => {
       context.fillStyle = colour;
       context.fillRect(i % 2 * 100, Math.floor(i / 2) * 100, 100, 100);
     });
     document.querySelector("[data-action=open]").onclick = () => to("viewing");
     document.querySelector("[data-action=close]").onclick = () => {
       canvas.width = 0;
       to("closed");
     };`,
    `<button data-action="open">Show</button><button data-action="close">Close</button>
     <div data-viewer><canvas width="200" height="200"></canvas></div>`,
  );
  const picture = await fixture("gif");
  const turned = await fixture("exif");
  await withBrowser(async (browser) => {
    const viewer = await Viewer.open(await browser.newPage({ screen: "phone" }), site.url);
    await viewer.look();
    assertEquals(await viewer.wiped(), false);
    assertLooksLike(await looksOf(browser, await viewer.screen()), picture);
    const looks = await looksOf(browser, await viewer.canvas());
    assertLooksLike(looks, picture);
    assertEquals(looks.marked, 0);
    await viewer.page.evaluate(() => {
      const context = document.querySelector("canvas")?.getContext("2d");
      context?.fillText("a mark that is tiled", 10, 50);
    });
    assert((await looksOf(browser, await viewer.canvas())).marked > 0.01);
    await assertRejects(() => Promise.resolve().then(() => assertLooksLike(looks, turned)), Error);
    await viewer.closePicture();
    await viewer.waitPhase("closed");
    assertEquals(await viewer.wiped(), true);
  });
});
