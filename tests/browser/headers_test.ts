/**
 * Security headers on every answer of the real server, and a whole session in a real browser under
 * them.
 *
 * @module
 */
import { startApp } from "../support/app.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { type TestPage, withBrowser } from "../support/browser.ts";
import { fixture } from "../support/fixtures.ts";
import { Sender, Viewer } from "../support/flow.ts";

const EVERYWHERE = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
} as const;

Deno.test("every answer has the security headers: pages, files, errors, refusals", async () => {
  await using app = await startApp();
  const html = await (await fetch(`${app.url}/`)).text();
  const files = [...html.matchAll(/(?:href|src)="(\/[^"]+\.(?:css|svg|js)[^"]*)"/g)].map(
    ([, path]) => path ?? "",
  );
  assert(files.length > 1, "the page names files");
  const requests: readonly (readonly [path: string, init?: RequestInit])[] = [
    ["/"],
    ["/", { method: "HEAD" }],
    ["/", { method: "POST" }],
    ["/", { method: "OPTIONS" }],
    ["/join"],
    ["/security"],
    ["/no/such/page"],
    ["/%E0%A4%A"],
    ["/favicon.ico"],
    ["/workers/picture_worker.js"],
    ["/workers/heic_worker.js"],
    ["/ws/AAAAAAAAAAAAAAAAAAAAAA"],
    ["/ws/none"],
    ["/ws/%E0%A4%A"],
    ["/styles.css", { headers: { "if-none-match": "*" } }],
    ...files.map((path) => [path] as const),
  ];
  for (const [path, init] of requests) {
    const response = await fetch(`${app.url}${path}`, { redirect: "manual", ...init });
    const what = `${init?.method ?? "GET"} ${path} (${response.status})`;
    await response.body?.cancel();
    for (const [name, value] of Object.entries(EVERYWHERE)) {
      assertEquals(`${what} ${response.headers.get(name)}`, `${what} ${value}`);
    }
    const policy = response.headers.get("content-security-policy") ?? "";
    assert(policy.startsWith("default-src 'none'"), `${what}: ${policy}`);
    // One script may compile WebAssembly, which does not allow eval().
    const unsafe = path === "/workers/heic_worker.js" ? "script-src 'wasm-unsafe-eval'" : "none";
    assert(!policy.replace(unsafe, "").includes("unsafe"), `${what}: ${policy}`);
    const permissions = response.headers.get("permissions-policy") ?? "";
    assert(permissions.includes("camera=(self)"), `${what}: ${permissions}`);
    if (response.headers.get("content-type")?.startsWith("text/html")) {
      assertEquals(response.headers.get("cache-control"), "no-store", what);
    }
  }
});

/** Collects the violations that the browser reports. Runs in the page before its scripts. */
const WATCH = `{
  const seen = [];
  Object.defineProperty(globalThis, "__violations", { value: seen });
  document.addEventListener("securitypolicyviolation", (event) => {
    seen.push(event.violatedDirective + " " + event.blockedURI + " " + event.sample);
  });
}`;

async function violations({ page }: TestPage): Promise<unknown> {
  return JSON.parse(String(await page.evaluate("JSON.stringify(globalThis.__violations)")));
}

Deno.test("a session violates no policy; an attacker's injections do, and fail", async () => {
  await using app = await startApp();
  await withBrowser(async (browser) => {
    for (const by of ["link", "code"] as const) {
      const pages = [
        await browser.newPage({ before: WATCH }),
        await browser.newPage({ before: WATCH }),
      ];
      const [senderPage, viewerPage] = pages;
      assert(senderPage !== undefined && viewerPage !== undefined);
      const sender = await Sender.open(senderPage, app.url);
      const link = await sender.offer(await fixture("exif"), { seconds: 60 });
      const viewer = by === "link"
        ? await Viewer.open(viewerPage, link)
        : await Viewer.openByCode(viewerPage, app.url);
      if (by === "code") await viewer.typeCode(await sender.shareCode());
      await viewer.receive();
      await viewer.look();
      await viewer.closePicture();
      await viewer.waitPhase("ended");
      await sender.waitPhase("ended");
      assertEquals(await Promise.all(pages.map(violations)), [[], []]);
      assertEquals(
        await viewer.page.evaluate("crossOriginIsolated"),
        true,
        "nobody else shares this page's process",
      );
    }

    // The listener works, and the policy holds.
    const page = await browser.newPage({
      before: WATCH,
      allowErrors: [
        /Content Security Policy|TrustedScript|Refused|violates|TrustedHTML|another host/,
      ],
    });
    await page.page.goto(`${app.url}/`);
    await page.page.evaluate(() => {
      const image = document.createElement("img");
      const script = document.createElement("script");
      const attempts = [
        () => script.textContent = "globalThis.ran = true",
        () => image.setAttribute("onerror", "globalThis.ran = true"),
        () => image.src = "https://elsewhere.example/x.png",
        () => new Worker("data:text/javascript,0"),
        () => document.body.innerHTML = "<img src=x onerror='globalThis.ran = true'>",
      ];
      for (const attempt of attempts) {
        try {
          attempt();
        } catch {
          // Trusted Types stop most of it before the policy does.
        }
      }
      document.body.append(script, image);
      fetch("https://elsewhere.example/").catch(() => {});
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    const heard = JSON.stringify(await violations(page));
    for (const directive of ["require-trusted-types-for", "img-src", "connect-src"]) {
      assert(heard.includes(directive), `${directive} in ${heard}`);
    }
    assertEquals(await page.page.evaluate("globalThis.ran"), undefined);
  });
});
