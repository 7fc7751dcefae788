import { assert, assertEquals, assertRejects } from "./assert.ts";
import { launchBrowser, type TestPage, withBrowser, withTwoPages } from "./browser.ts";
import { serveBlank } from "./blank.ts";

/** Creates a peer connection with one negotiated channel that greets. */
const CONNECT = `
  globalThis.pc = new RTCPeerConnection();
  globalThis.heard = new Promise((resolve) => {
    const channel = pc.createDataChannel("test", { negotiated: true, id: 0 });
    channel.onopen = () => channel.send("hello");
    channel.onmessage = (event) => resolve(event.data);
  });
  globalThis.described = async () => {
    while (pc.iceGatheringState !== "complete") {
      await new Promise((resolve) => {
        pc.addEventListener("icegatheringstatechange", resolve, { once: true });
      });
    }
    return pc.localDescription.sdp;
  };`;

async function run(page: TestPage, script: string): Promise<string> {
  const result: unknown = await page.page.evaluate(`(async () => { ${script} })()`);
  return String(result);
}

Deno.test("two contexts of one browser connect by WebRTC", async () => {
  await using site = serveBlank();
  await withTwoPages(async (a, b) => {
    for (const { page } of [a, b]) {
      await page.goto(site.url);
      await page.evaluate(CONNECT);
    }
    const offer = await run(a, "await pc.setLocalDescription(); return described();");
    const answer = await run(
      b,
      `await pc.setRemoteDescription({ type: "offer", sdp: ${JSON.stringify(offer)} });
       await pc.setLocalDescription(); return described();`,
    );
    await run(
      a,
      `await pc.setRemoteDescription({ type: "answer", sdp: ${JSON.stringify(answer)} });`,
    );
    assertEquals(await run(a, "return heard;"), "hello");
    assertEquals(await run(b, "return heard;"), "hello");
  });
});

Deno.test("pages in separate contexts share no storage", async () => {
  await using site = serveBlank();
  await withTwoPages(async (a, b) => {
    await a.page.goto(site.url);
    await b.page.goto(site.url);
    await run(a, `localStorage.setItem("key", "value");`);
    assertEquals(await run(b, `return localStorage.getItem("key");`), "null");
  });
});

Deno.test("a file from disk arrives in a file input", async () => {
  await using site = serveBlank();
  const path = await Deno.makeTempFile({ suffix: ".txt" });
  await Deno.writeTextFile(path, "content");
  await withBrowser(async (browser) => {
    const { page } = await browser.newPage();
    await page.goto(site.url);
    await page.evaluate(`document.body.innerHTML = "<input type=file>"`);
    const input = await page.$("input[type=file]");
    assert(input !== null);
    await (await input.toElement("input")).uploadFile(path);
    assertEquals(
      await page.evaluate(`document.querySelector("input").files[0].text()`),
      "content",
    );
  });
  await Deno.remove(path);
});

for (
  const [what, script, pattern] of [
    ["an uncaught error", `setTimeout(() => { throw new Error("oops"); })`, /uncaught: .*oops/],
    ["a rejected promise", `Promise.reject(new Error("oops")); 1`, /uncaught: .*oops/],
    ["a console error", `console.error("oops")`, /error: oops/],
    [
      "a request to another host",
      `fetch("http://other.invalid/x").catch(() => 1)`,
      /request to another host: http:\/\/other\.invalid\/x/,
    ],
  ] as const
) {
  Deno.test(`a page with ${what} fails its test, unless that was expected`, async () => {
    await using site = serveBlank();
    const visit = (allowErrors: readonly RegExp[]) =>
      withBrowser(async (browser) => {
        const page = await browser.newPage({ allowErrors });
        await page.page.goto(site.url);
        await page.page.evaluate(script);
        // Errors are reported after the script has run: give them time to arrive.
        await page.page.evaluate(`new Promise((resolve) => setTimeout(resolve, 50))`);
      });
    const error = await assertRejects(() => visit([]), Error);
    assert(pattern.test(error.message), error.message);
    await visit([/oops/, /another host/, /ERR_/]);
  });
}

Deno.test("closing a browser ends its processes", async () => {
  const browser = await launchBrowser();
  const pid = browser.browser.process()?.pid;
  assert(pid !== undefined);
  await browser.close();
  await browser.close();
  if (Deno.build.os === "linux") {
    // A zombie that its parent has not collected yet is not a running process.
    const status = await Deno.readTextFile(`/proc/${pid}/status`).catch(() => "State:\tX");
    assert(/^State:\t[ZX]/m.test(status), status);
  }
});
