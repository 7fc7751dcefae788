/**
 * What only an `<img>` shows, or shows differently from every other decoder: it is sent as this
 * browser shows it, and the page says why.
 *
 * hdr.avif was made by avifenc 0.11 of Debian (`-y 420 -d 10 --cicp 9/16/9`), and its content light
 * level (`clli`, 470 and 263 cd/m²) was added: browsers map the brightness of an `<img>` with it.
 *
 * @module
 */
import { Bench, BenchSite, type Finding, sentOf } from "../pictures/bench.ts";
import { plainPictures } from "../pictures/make.ts";
import type { Outcome } from "../pictures/page.ts";
import { readLeft } from "../pictures/readers.ts";
import { faultsOf, rowOf } from "../pictures/table.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { flatPng } from "../support/image_bytes.ts";

type Bytes = Uint8Array<ArrayBuffer>;

function fixture(name: string): Bytes {
  return Deno.readFileSync(new URL(`./avif/${name}`, import.meta.url));
}

/** What was taken; fails for everything else, and if anything but the picture is sent. */
async function taken(name: string, finding: Finding): Promise<Outcome & { readonly ok: true }> {
  const sent = sentOf(finding);
  const [left = []] = sent === null ? [] : await readLeft([sent]);
  assertEquals([name, ...faultsOf({ ...rowOf(name, finding), left })], [name]);
  if (finding.kind === "lost") throw new Error(`${name}: ${finding.why}`);
  const { outcome } = finding.look;
  if (!outcome.ok) throw new Error(`${name}: ${outcome.reason}`);
  return outcome;
}

/** Zeros over some bytes in the middle, and without the last third. */
function damagesOf(bytes: Bytes): readonly Bytes[] {
  const hole = bytes.slice();
  hole.fill(0, bytes.length / 2, bytes.length / 2 + 40);
  return [hole, bytes.slice(0, bytes.length * 2 / 3)];
}

Deno.test("an HDR picture is sent as the standard picture that <img> shows of it", async () => {
  await using site = await BenchSite.start();
  await using bench = new Bench(site);
  const name = "hdr.avif";
  const outcome = await taken(name, await bench.look({ name, bytes: fixture(name) }));
  assertEquals([outcome.type, outcome.repainted], ["image/png", "standard"]);
  // Others are not painted anew only because they are AVIFs.
  for (const name of ["grid.avif", "alpha_turned.avif", "animated.avif"]) {
    const { repainted } = await taken(name, await bench.look({ name, bytes: fixture(name) }));
    assertEquals([name, repainted], [name, null]);
  }
});

Deno.test("of a damaged picture, what <img> shows is sent, and said to be a part", async () => {
  await using site = await BenchSite.start();
  await using bench = new Bench(site);
  let parts = 0;
  for (const { name, bytes } of await plainPictures()) {
    if (name.endsWith(".avif")) continue;
    for (const [i, damaged] of damagesOf(bytes).entries()) {
      const finding = await bench.look({ name, bytes: damaged });
      const isShown = finding.kind === "looked" && finding.look.shown !== null;
      if (!isShown) continue;
      const { repainted, removed } = await taken(`${name} ${i}`, finding);
      if (!finding.look.shown?.whole) {
        // What the browser says about its own canvas was in no file.
        assertEquals([name, i, repainted, ...removed], [name, i, "part"]);
        parts++;
      }
    }
  }
  assert(parts >= 4, `${parts} were shown in part`);
});

Deno.test("what <img> does not show either is refused for the same reason as before", async () => {
  await using site = await BenchSite.start();
  await using bench = new Bench(site);
  const refused = async (name: string, bytes: Bytes) => {
    const finding = await bench.look({ name, bytes });
    if (finding.kind === "lost" || finding.look.outcome.ok) return JSON.stringify(finding);
    return finding.look.outcome.reason;
  };
  const png = flatPng(64, 64);
  assertEquals(await refused("cut.png", new Uint8Array(png.subarray(0, 40))), "truncated");
  const text = new TextEncoder().encode("Dear Anna, here is the picture.");
  assertEquals(await refused("letter.txt", text), "not_an_image");
  // A drawing with programs, which hides what it is from a look at its beginning.
  const comment = `<!-- ${"-x".repeat(2_000)} -->`;
  const svg = `${comment}<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">` +
    `<rect width="9" height="9" fill="red"/></svg>`;
  assertEquals(await refused("drawing.svg", new TextEncoder().encode(svg)), "not_an_image");
});
