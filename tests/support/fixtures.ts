/**
 * Pictures for tests, made on demand: no binary file is committed. A browser encodes them where it
 * can, because it writes the same kind of files as pages from which people save pictures. The same
 * seed gives the same picture.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { serveBlank } from "./blank.ts";
import { type TestPage, withBrowser } from "./browser.ts";
import {
  animatedGif,
  avif,
  CORNERS,
  type Corners,
  flatPng,
  pngBomb,
  pngOfSize,
  svg,
  withExif,
} from "./image_bytes.ts";

const MIB = 1024 * 1024;

/** A picture on disk. */
export interface Fixture {
  readonly path: string;
  readonly bytes: number;
  /** As displayed, after applying the orientation; 0 if it can't be displayed. */
  readonly width: number;
  readonly height: number;
  /** Colors near its corners as displayed. */
  readonly corners: Corners;
}

/** A scene that a browser encodes. */
interface Scene {
  readonly type: "image/jpeg" | "image/png" | "image/webp";
  readonly width: number;
  readonly height: number;
  readonly seed: number;
  /** For JPEG and WebP: searches for the quality that comes closest to this size. */
  readonly targetBytes?: number;
  /** Leaves the middle transparent. */
  readonly transparent?: boolean;
}

/**
 * EXIF orientation 6: the camera was held upright, so the stored left edge is displayed at the top.
 */
const TURNED: Corners = {
  topLeft: CORNERS.bottomLeft,
  topRight: CORNERS.topLeft,
  bottomLeft: CORNERS.bottomRight,
  bottomRight: CORNERS.topRight,
};

interface Recipe {
  readonly file: string;
  readonly width?: number;
  readonly height?: number;
  readonly corners?: Corners;
  /** Drawn by a browser first; its bytes are passed to `make`. */
  readonly scene?: Scene;
  readonly make?: (scene: Uint8Array) => Uint8Array;
}

const SMALL: Scene = {
  type: "image/jpeg",
  width: 1_280,
  height: 960,
  seed: 1,
  targetBytes: 200_000,
};
const LARGE: Scene = {
  type: "image/jpeg",
  width: 4_000,
  height: 3_000,
  seed: 2,
  targetBytes: 3_000_000,
};

const HUGE: Scene = {
  type: "image/jpeg",
  width: 5_200,
  height: 3_900,
  seed: 5,
  targetBytes: 16_000_000,
};

function sized(file: string, size: number): Recipe {
  return { file, make: () => pngOfSize(size).bytes };
}

function shaped(width: number, height: number): Recipe {
  return { file: `${width}x${height}.png`, width, height, make: () => flatPng(width, height) };
}

const RECIPES = {
  /** A photograph of about 200 KB. */
  small: { file: "small.jpg", scene: SMALL, ...dimensions(SMALL) },
  /** A photograph of about 3 MB and 12 megapixels. */
  large: { file: "large.jpg", scene: LARGE, ...dimensions(LARGE) },
  /** A photograph of about 16 MB and 20 megapixels. */
  huge: { file: "huge.jpg", scene: HUGE, ...dimensions(HUGE) },
  /** A photograph held upright, with orientation 6, camera and GPS position in its EXIF segment. */
  exif: {
    file: "exif.jpg",
    width: SMALL.height,
    height: SMALL.width,
    corners: TURNED,
    scene: SMALL,
    make: (scene) => withExif(scene, { orientation: 6, latitude: 52.5163, longitude: 13.3777 }),
  },
  /** A PNG whose middle is transparent. */
  transparent: {
    file: "transparent.png",
    scene: { type: "image/png", width: 400, height: 300, seed: 3, transparent: true },
    width: 400,
    height: 300,
  },
  webp: {
    file: "picture.webp",
    scene: { type: "image/webp", width: 800, height: 600, seed: 4, targetBytes: 60_000 },
    width: 800,
    height: 600,
  },
  avif: { file: "picture.avif", width: 64, height: 48, make: avif },
  /** Animated; only the first frame has the corner colors. */
  gif: { file: "animated.gif", width: 64, height: 48, make: () => animatedGif() },
  /** Four flat quarters, to detect anything painted over them. */
  flat: { file: "flat.png", width: 800, height: 600, make: () => flatPng() },
  /** Flat quarters too, in shapes that a careless page would distort. */
  tall: shaped(900, 1_600),
  upright: shaped(900, 1_200),
  square: shaped(800, 800),
  wide: shaped(1_600, 900),
  strip: shaped(64, 1_280),
  band: shaped(1_280, 64),
  icon: shaped(24, 24),
  /**
   * Exactly 8 MiB, 64 MiB (the limit) and 65 MiB (above it), as valid PNGs without metadata to
   * remove.
   */
  png8m: sized("8m.png", 8 * MIB),
  png64m: sized("64m.png", 64 * MIB),
  png65m: sized("65m.png", 65 * MIB),
  /** 31 KB that decode to 1 GB. */
  bomb: { file: "bomb.png", make: () => pngBomb() },
  svg: { file: "picture.svg", make: svg },
  /** Truncated in the middle of its pixels. */
  truncated: {
    file: "truncated.jpg",
    scene: SMALL,
    make: (scene) => scene.slice(0, Math.floor(scene.length * 0.4)),
  },
  /** Truncated within its header: nothing of it can be shown. */
  stub: { file: "stub.jpg", scene: SMALL, make: (scene) => scene.slice(0, 200) },
  empty: { file: "empty.jpg", make: () => new Uint8Array() },
  text: { file: "text.jpg", make: () => new TextEncoder().encode("This is not a picture.\n") },
} as const satisfies Record<string, Recipe>;

/** Name of a fixture. */
export type FixtureName = keyof typeof RECIPES;

function dimensions({ width, height }: Scene) {
  return { width, height };
}

const made = new Map<FixtureName, Promise<Fixture>>();
let directory: string | undefined;

/** A directory of this process, removed after its tests. */
function fixtureDirectory(): string {
  if (directory !== undefined) return directory;
  const created = Deno.makeTempDirSync({ prefix: "ephemeral-fixtures-" });
  addEventListener("unload", () => Deno.removeSync(created, { recursive: true }));
  return directory = created;
}

/** Makes a picture, once per process. */
export function fixture(name: FixtureName): Promise<Fixture> {
  let promise = made.get(name);
  if (promise === undefined) {
    promise = makeFixture(name);
    made.set(name, promise);
  }
  return promise;
}

async function makeFixture(name: FixtureName): Promise<Fixture> {
  const recipe: Recipe = RECIPES[name];
  const scene = recipe.scene === undefined ? new Uint8Array() : await encoded(recipe.scene);
  const bytes = recipe.make?.(scene) ?? scene;
  const path = join(fixtureDirectory(), recipe.file);
  await Deno.writeFile(path, bytes);
  return {
    path,
    bytes: bytes.length,
    width: recipe.width ?? 0,
    height: recipe.height ?? 0,
    corners: recipe.corners ?? CORNERS,
  };
}

const scenes = new Map<Scene, Promise<Uint8Array>>();

function encoded(scene: Scene): Promise<Uint8Array> {
  let promise = scenes.get(scene);
  if (promise === undefined) {
    promise = inBlankPage((page) => encodeScene(page, scene));
    scenes.set(scene, promise);
  }
  return promise;
}

async function inBlankPage(body: (page: TestPage) => Promise<Uint8Array>): Promise<Uint8Array> {
  let result = new Uint8Array();
  await using site = serveBlank();
  await withBrowser(async (browser) => {
    const page = await browser.newPage();
    await page.page.goto(site.url);
    result = new Uint8Array(await body(page));
  });
  return result;
}

/** Draws and encodes a scene in a page; the page's origin does not matter. */
async function encodeScene(page: TestPage, scene: Scene): Promise<Uint8Array> {
  const base64 = await page.page.evaluate(drawScene, scene, CORNERS);
  return new Uint8Array(Buffer.from(base64, "base64"));
}

/** Runs in the browser, so it must not use anything outside of it. Returns base64. */
async function drawScene(scene: Scene, corners: Corners): Promise<string> {
  const { width, height, type, targetBytes } = scene;
  let state = scene.seed >>> 0;
  // The generator of random.ts, which a function sent to a page can't import.
  const random = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) throw new Error("Cannot draw: no 2d context");
  // Blobs of all sizes in the middle; the corners stay clear.
  for (let i = 0; i < 120; i++) {
    const angle = random() * 2 * Math.PI;
    const distance = Math.sqrt(random()) * 0.3;
    const x = width * (0.5 + Math.cos(angle) * distance);
    const y = height * (0.5 + Math.sin(angle) * distance);
    const radius = Math.min(width, height) * (0.01 + 0.08 * random());
    const glow = context.createRadialGradient(x, y, 0, x, y, radius);
    const hue = Math.floor(random() * 360);
    glow.addColorStop(0, `hsl(${hue} 80% ${30 + Math.floor(random() * 50)}%)`);
    glow.addColorStop(1, `hsl(${hue} 80% 50% / 0)`);
    context.fillStyle = glow;
    context.fillRect(x - radius, y - radius, 2 * radius, 2 * radius);
  }
  const image = context.getImageData(0, 0, width, height);
  const data = image.data;
  for (let y = 0, at = 0; y < height; y++) {
    const v = y / height;
    for (let x = 0; x < width; x++, at += 4) {
      const u = x / width;
      const middle = Math.hypot(u - 0.5, v - 0.5) < 0.2;
      if (scene.transparent && middle) {
        data[at + 3] = 0;
        continue;
      }
      const things = data[at + 3]! / 255;
      // Noise everywhere, as from a sensor.
      const noise = (random() - 0.5) * 12;
      for (let i = 0; i < 3; i++) {
        const top = corners.topLeft[i]! * (1 - u) + corners.topRight[i]! * u;
        const bottom = corners.bottomLeft[i]! * (1 - u) + corners.bottomRight[i]! * u;
        const ground = top * (1 - v) + bottom * v;
        data[at + i] = data[at + i]! * things + ground * (1 - things) + noise;
      }
      data[at + 3] = 255;
    }
  }
  context.putImageData(image, 0, 0);
  let best = await canvas.convertToBlob({ type, quality: 0.9 });
  if (best.type !== type) throw new Error(`Cannot encode ${type}`);
  if (targetBytes !== undefined) {
    let low = 0.05;
    let high = 1;
    for (let i = 0; i < 6; i++) {
      const quality = (low + high) / 2;
      const blob = await canvas.convertToBlob({ type, quality });
      if (Math.abs(blob.size - targetBytes) < Math.abs(best.size - targetBytes)) best = blob;
      if (blob.size < targetBytes) low = quality;
      else high = quality;
    }
  }
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).split(",")[1] ?? "");
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(best);
  });
}
