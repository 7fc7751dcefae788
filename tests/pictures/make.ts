/**
 * Makes pictures of every kind when they are needed, with whichever programs are installed; the
 * browser's own are always available.
 *
 * @module
 */
import { extname, join } from "node:path";
import { serveBlank } from "../support/blank.ts";
import { withBrowser } from "../support/browser.ts";
import { animatedGif, avif, withExif } from "../support/image_bytes.ts";
import { basePng, namedProfile } from "./base.ts";
import type { Picture } from "./bench.ts";
import { MUTATIONS } from "./mutations.ts";
import { BASES, type Recipe, RECIPES, TURNED } from "./recipes.ts";
import { hasTool, works } from "./tools.ts";

/** What was made, and which programs were missing, or failed. */
export interface Made {
  readonly pictures: readonly Picture[];
  readonly missing: readonly string[];
}

/** This many programs run at a time. */
const AT_ONCE = 4;

/** What a camera writes besides an orientation. */
const CAMERA = [
  "-GPSLatitude=52.5163",
  "-GPSLongitude=13.3777",
  "-GPSLatitudeRef=N",
  "-GPSLongitudeRef=E",
  "-Make=Anna's camera",
  "-DateTimeOriginal=2024:07:20 13:26:06",
  "-XMP:Creator=Anna Schmidt",
];

/** Makes them all. */
export async function makePictures(): Promise<Made> {
  const folder = await Deno.makeTempDir();
  try {
    await writeBases(folder);
    const missing = new Set<string>();
    // Some are made from others, which precede them.
    for (const part of [RECIPES.filter(isFirst), RECIPES.filter((each) => !isFirst(each))]) {
      await inTurn(part, async (recipe) => {
        if (!await hasTool(recipe.program)) missing.add(recipe.program);
        else if (!await runRecipe(recipe, folder)) {
          missing.add(`${recipe.program}'s ${recipe.file}`);
        }
      });
    }
    const made = await readAll(folder);
    const drawn = await drawPictures();
    const whole = [...made, ...drawn];
    const turned = await hasTool("exiftool") ? await turn(whole, folder) : [];
    if (turned.length === 0) missing.add("exiftool");
    return { pictures: [...whole, ...turned, ...mutate(whole)], missing: [...missing].sort() };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function isFirst({ program }: Recipe): boolean {
  return program === "convert";
}

async function writeBases(folder: string): Promise<void> {
  const write = (name: string, bytes: Uint8Array) => Deno.writeFile(join(folder, name), bytes);
  await write(BASES.rgb, basePng({ depth: 8, alpha: false }));
  await write(BASES.alpha, basePng({ depth: 8, alpha: true }));
  await write(BASES.deep, basePng({ depth: 16, alpha: false }));
  for (const [frame, name] of BASES.frames.entries()) {
    await write(name, basePng({ depth: 8, alpha: false, frame }));
  }
  await write(BASES.profile, namedProfile());
}

/** False if this version of the program can't, e.g. because it was built without an encoder. */
async function runRecipe({ program, args }: Recipe, folder: string): Promise<boolean> {
  const known = new Set<string>([...Object.values(BASES).flat(), ...RECIPES.map((r) => r.file)]);
  const placed = args.map((arg) =>
    known.has(arg) || arg === "frame%d.png" ? join(folder, arg) : arg
  );
  return await works(program, placed);
}

async function readAll(folder: string): Promise<Picture[]> {
  const pictures: Picture[] = [];
  for (const { file } of RECIPES) {
    try {
      pictures.push({ name: file, bytes: await Deno.readFile(join(folder, file)) });
    } catch (error) {
      // Its program is not installed.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return pictures;
}

/**
 * Pictures that need no other program: one of each format that a browser writes, without and with
 * transparency.
 */
export async function drawPictures(): Promise<Picture[]> {
  await using site = serveBlank();
  const pictures: Picture[] = [];
  await withBrowser(async (browser) => {
    const { page } = await browser.newPage();
    await page.goto(site.url);
    for (const alpha of [false, true]) {
      const base = basePng({ depth: 8, alpha }).toBase64();
      for (
        const [ext, type] of [["jpg", "image/jpeg"], ["png", "image/png"], ["webp", "image/webp"]]
      ) {
        const text = await page.evaluate(encode, base, type ?? "");
        const name = `chromium${alpha ? "_alpha" : ""}.${ext}`;
        pictures.push({ name, bytes: Uint8Array.fromBase64(text) });
      }
    }
  });
  return pictures;
}

/** Pictures to damage: each format once, small enough that its header is a good part of it. */
export async function plainPictures(): Promise<Picture[]> {
  const drawn = await drawPictures();
  const jpeg = drawn[0]?.bytes ?? new Uint8Array();
  const exif = withExif(jpeg, { orientation: 6, latitude: 52.5, longitude: 13.4 });
  const made = { "exif.jpg": exif, "moving.gif": animatedGif(), "small.avif": avif() };
  const others = Object.entries(made).map(([name, bytes]) => ({ name, bytes: bytes.slice() }));
  return [...drawn, ...others];
}

/** Runs in the page, so it must be self-contained. */
async function encode(base: string, type: string): Promise<string> {
  const response = await fetch(`data:image/png;base64,${base}`);
  const bitmap = await createImageBitmap(await response.blob());
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
  const blob = await canvas.convertToBlob({ type, quality: 0.9 });
  let text = "";
  for (const byte of new Uint8Array(await blob.arrayBuffer())) text += String.fromCharCode(byte);
  return btoa(text);
}

/** Copies with the orientations 1–8, a location and a name. */
async function turn(pictures: readonly Picture[], folder: string): Promise<Picture[]> {
  const turned: Picture[] = [];
  const args: string[] = [];
  for (const { name, bytes } of pictures.filter(({ name }) => isTurned(name))) {
    for (let orientation = 1; orientation <= 8; orientation++) {
      const path = join(folder, `turned_${orientation}_${name}`);
      await Deno.writeFile(path, bytes);
      turned.push({ name: path, bytes });
      args.push(`-Orientation#=${orientation}`, ...CAMERA, "-overwrite_original", path, "-execute");
    }
  }
  if (!await works("exiftool", args)) return [];
  return await Promise.all(turned.map(async ({ name }) => ({
    name: name.slice(folder.length + 1),
    bytes: await Deno.readFile(name),
  })));
}

function isTurned(name: string): boolean {
  return TURNED.some((turned) => turned === name);
}

/** One or two pictures of its format with each mutation. */
function mutate(pictures: readonly Picture[]): Picture[] {
  return MUTATIONS.flatMap(({ name, ext, apply }) => {
    const seen = new Map<string, number>();
    const mutated: Picture[] = [];
    for (const picture of pictures) {
      const type = extname(picture.name);
      const count = seen.get(type) ?? 0;
      if (count === 2 || !SHOWN.test(type) || !ext.test(type)) continue;
      const bytes = apply(picture.bytes);
      if (bytes === null) continue;
      seen.set(type, count + 1);
      mutated.push({ name: `${name}_${picture.name}`, bytes });
    }
    return mutated;
  });
}

/** Formats that browsers show. */
const SHOWN = /jpg|png|gif|webp|avif|bmp/;

/** Calls `body` for each, a few at a time. */
async function inTurn<T>(items: readonly T[], body: (item: T) => Promise<void>): Promise<void> {
  const due = items.values();
  const work = async () => {
    for (const item of due) await body(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}
