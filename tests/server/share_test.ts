/**
 * The share target without a service worker: the server stores nothing.
 *
 * @module
 */
import { startApp } from "../support/app.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";

/** What somebody would share. */
const TOTAL = 64 * 1024 * 1024;

/** After this it is certain that no answer will arrive. */
const PATIENCE_MS = 10_000;

Deno.test("a picture posted to /share is answered early, with nothing kept", async () => {
  await using app = await startApp();
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: app.port });
  const head = [
    "POST /share HTTP/1.1",
    `Host: 127.0.0.1:${app.port}`,
    "Content-Type: multipart/form-data; boundary=x",
    `Content-Length: ${TOTAL}`,
    "",
    "--x\r\nContent-Disposition: form-data; name=pictures; filename=a.jpg\r\n\r\n",
  ].join("\r\n");
  await conn.write(new TextEncoder().encode(head));
  // Not one more byte is sent: a server that waits for the form would never answer.
  const buffer = new Uint8Array(4_096);
  const patience = setTimeout(() => conn.close(), PATIENCE_MS);
  const read = await conn.read(buffer).catch(() => null) ?? 0;
  clearTimeout(patience);
  const answer = new TextDecoder().decode(buffer.subarray(0, read));
  assertMatch(answer, /^HTTP\/1\.1 303 /);
  assertMatch(answer, /^location: \/share\r$/im);
  conn.close();

  const page = await fetch(`${app.url}/share`);
  assertEquals(page.status, 200);
  assertMatch(await page.text(), /Nothing of the picture was kept/);
});

Deno.test("a whole picture posted to /share is not kept in memory", async () => {
  await using app = await startApp();
  for (let i = 0; i < 4; i++) {
    const body = new FormData();
    body.append("pictures", new File([new Uint8Array(TOTAL)], "a.jpg", { type: "image/jpeg" }));
    try {
      const answer = await fetch(`${app.url}/share`, { method: "POST", body, redirect: "manual" });
      assertEquals(answer.status, 303);
      await answer.body?.cancel();
    } catch (error) {
      // The server hung up while it was still being sent.
      assert(error instanceof TypeError);
    }
  }
  const rss = await residentBytes(app.pid);
  if (rss !== null) assert(rss < 3 * TOTAL, `${rss} bytes`);
});

/** Memory of a process, if /proc has it. */
async function residentBytes(pid: number): Promise<number | null> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`).catch(() => "");
  const [, kib = ""] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
  return kib === "" ? null : Number(kib) * 1_024;
}
