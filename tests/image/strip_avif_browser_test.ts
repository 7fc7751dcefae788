/**
 * A rewritten AVIF shows the same pixels as the original, in every browser here: all frames,
 * transparency, rotation, tiles.
 *
 * @module
 */
import { rebuildAvif } from "../../lib/image/strip_avif.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { serveBlank } from "../support/blank.ts";
import { launchBrowser } from "../support/browser.ts";
import { findFirefox } from "../support/firefox.ts";

const ENGINES = await findFirefox() === null
  ? ["chromium"] as const
  : ["chromium", "firefox"] as const;

/** Pictures of other programs, where those are installed. */
async function encoded(folder: string): Promise<readonly string[]> {
  const source = `${folder}/source.png`;
  const commands: readonly (readonly [name: string, command: readonly string[]])[] = [
    ["avifenc, 4:2:0", ["avifenc", "-s", "9", "-y", "420", source]],
    ["avifenc, 10 bits", ["avifenc", "-s", "9", "-d", "10", source]],
    ["avifenc, turned", ["avifenc", "-s", "9", "--irot", "3", source]],
    ["avifenc, cropped", ["avifenc", "-s", "9", "--clap", "32,1,24,1,0,1,0,1", source]],
    ["heif-enc, with a thumbnail", ["heif-enc", "-A", "-t", "16", source, "-o"]],
  ];
  const draw = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=4"];
  await run([...draw, "-frames:v", "1", source]);
  const made: string[] = [];
  for (const [name, command] of commands) {
    const path = `${folder}/${name}.avif`;
    if (await run([...command, path])) made.push(path);
  }
  const moving = `${folder}/ffmpeg, moving.avif`;
  const slow = ["-frames:v", "3", "-c:v", "libaom-av1", "-cpu-used", "8", moving];
  if (await run([...draw, ...slow])) made.push(moving);
  return made;
}

async function run([program = "", ...args]: readonly string[]): Promise<boolean> {
  try {
    const command = new Deno.Command(program, { args, stdout: "null", stderr: "null" });
    return (await command.output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * SHA-256 of the pixels of each frame that the page's browser decodes from a file, and of the one
 * in an `<img>`.
 */
async function pixels(base64: string): Promise<readonly string[]> {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const type = "image/avif";
  const hash = async (source: CanvasImageSource, width: number, height: number) => {
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d");
    context?.drawImage(source, 0, 0);
    const data = context?.getImageData(0, 0, width, height).data ?? new Uint8ClampedArray();
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", Uint8Array.from(data)));
    return `${width}x${height} ${[...digest].map((byte) => byte.toString(16)).join("")}`;
  };
  const image = new Image();
  image.src = URL.createObjectURL(new Blob([bytes], { type }));
  await image.decode();
  const found = [await hash(image, image.naturalWidth, image.naturalHeight)];
  const Decoder = Reflect.get(globalThis, "ImageDecoder");
  if (Decoder === undefined) return found;
  const decoder = new Decoder({ data: bytes, type });
  await decoder.tracks.ready;
  await decoder.completed;
  const { frameCount = 0, repetitionCount = 0 } = decoder.tracks.selectedTrack ?? {};
  found.push(`${frameCount} ${repetitionCount}`);
  for (let frameIndex = 0; frameIndex < frameCount; frameIndex++) {
    const { image: frame } = await decoder.decode({ frameIndex });
    found.push(await hash(frame, frame.displayWidth, frame.displayHeight), `${frame.duration}`);
    frame.close();
  }
  return found;
}

for (const engine of ENGINES) {
  Deno.test(`${engine}: a rewritten AVIF has the same pixels`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      await using site = serveBlank();
      await using browser = await launchBrowser({ engine });
      const { page } = await browser.newPage();
      await page.goto(site.url);
      const own = ["grid", "alpha_turned", "thumbnail", "animated"].map((name) =>
        new URL(`./avif/${name}.avif`, import.meta.url)
      );
      let shown = 0;
      for (const path of [...own, ...await encoded(folder)]) {
        const before = Deno.readFileSync(path);
        const { parts } = rebuildAvif(before);
        const after = new Uint8Array(
          await new Blob(
            parts.map((part) => "start" in part ? before.slice(part.start, part.end) : part),
          ).arrayBuffer(),
        );
        const look = async (bytes: Uint8Array) => {
          try {
            return await page.evaluate(pixels, bytes.toBase64());
          } catch {
            return ["not shown"];
          }
        };
        const was = await look(before);
        if (was[0] !== "not shown") shown++;
        assertEquals(await look(after), was, String(path));
      }
      assert(shown >= own.length, `${shown} were shown`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
