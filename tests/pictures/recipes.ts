/**
 * Pictures of every kind, made by independent encoders: the arguments of each program.
 *
 * @module
 */

/**
 * One picture: `program` is called with `args`, in a folder that has the base pictures, and writes
 * `file`.
 */
export interface Recipe {
  readonly file: string;
  readonly program: string;
  readonly args: readonly string[];
}

/** The base pictures in that folder, and what is put into others. */
export const BASES = {
  rgb: "base.png",
  alpha: "alpha.png",
  deep: "deep.png",
  frames: ["frame0.png", "frame1.png", "frame2.png"],
  profile: "anna.icc",
} as const;

const { rgb, alpha, deep, frames, profile } = BASES;

function recipe(file: string, program: string, ...args: readonly string[]): Recipe {
  return { file, program, args };
}

const convert = (file: string, ...args: string[]) => recipe(file, "convert", ...args, file);
const cwebp = (file: string, ...args: string[]) =>
  recipe(file, "cwebp", "-quiet", ...args, "-o", file);
const avifenc = (file: string, ...args: string[]) =>
  recipe(file, "avifenc", "-s", "9", ...args, file);
const ffmpeg = (file: string, ...args: string[]) =>
  recipe(file, "ffmpeg", "-loglevel", "error", "-y", ...args, file);

/** ffmpeg's input of three frames. */
const MOVING = ["-framerate", "5", "-i", "frame%d.png"];

/** What encoders make of the base pictures. */
export const RECIPES: readonly Recipe[] = [
  ...["444", "422", "420", "440", "411"].map((chroma) => {
    const factor = { 444: "1x1", 422: "2x1", 420: "2x2", 440: "1x2", 411: "4x1" }[chroma] ?? "1x1";
    return convert(`im_${chroma}.jpg`, rgb, "-sampling-factor", factor);
  }),
  convert("im_progressive.jpg", rgb, "-interlace", "JPEG"),
  convert("im_grey.jpg", rgb, "-colorspace", "Gray"),
  convert("im_cmyk.jpg", rgb, "-colorspace", "CMYK"),
  convert("im_rgb.jpg", rgb, "-colorspace", "RGB"),
  convert("im_comment.jpg", rgb, "-set", "comment", "by Anna Schmidt", "-quality", "95"),
  convert("im_profile.jpg", rgb, "-profile", profile),
  convert("im_one_colour.jpg", "-size", "17x9", "xc:#20a050"),
  convert("im_24.png", rgb),
  convert("im_interlaced.png", rgb, "-interlace", "PNG"),
  convert("im_alpha_interlaced.png", alpha, "-interlace", "PNG"),
  convert("im_bilevel.png", rgb, "-monochrome", "-define", "png:bit-depth=1"),
  convert("im_palette.png", rgb, "-colors", "13", "-type", "Palette"),
  convert("im_palette_alpha.png", alpha, "-colors", "13", "-type", "PaletteAlpha"),
  convert("im_grey.png", rgb, "-colorspace", "Gray"),
  convert("im_grey_alpha.png", alpha, "-colorspace", "Gray"),
  convert("im_text.png", rgb, "-set", "Author", "Anna Schmidt", "-set", "comment", "at home"),
  convert("im_profile.png", rgb, "-profile", profile),
  convert("im_gamma.png", rgb, "-set", "gamma", "0.45455", "-define", "png:include-chunk=gAMA"),
  convert("im_16.png", deep, "-depth", "16"),
  convert("im_fixed.gif", rgb, "-colors", "31"),
  convert("im_interlaced.gif", rgb, "-colors", "200", "-interlace", "GIF"),
  convert("im_transparent.gif", alpha, "-channel", "A", "-threshold", "60%"),
  convert("im_moving.gif", "-delay", "10", "-loop", "0", ...frames, "-layers", "optimize"),
  convert("im_comment.gif", rgb, "-set", "comment", "by Anna Schmidt"),
  convert("im_lossy.webp", rgb, "-quality", "90"),
  convert("im_profile.webp", rgb, "-profile", profile),
  convert("im_24.bmp", rgb, "-type", "TrueColor"),
  convert("im_palette.bmp", rgb, "-colors", "16", "-type", "Palette", "-compress", "RLE"),
  convert("im_alpha.bmp", alpha),
  convert("im_old.bmp", rgb, "-type", "TrueColor", "-define", "bmp:format=bmp3"),
  cwebp("lossy.webp", "-q", "80", rgb),
  cwebp("lossless.webp", "-lossless", rgb),
  cwebp("near_lossless.webp", "-near_lossless", "60", rgb),
  cwebp("lossy_alpha.webp", "-q", "80", alpha),
  cwebp("lossless_alpha.webp", "-lossless", "-exact", alpha),
  cwebp("raw_alpha.webp", "-q", "70", "-alpha_method", "0", alpha),
  cwebp("profile.webp", "-q", "80", "-metadata", "all", "im_profile.png"),
  recipe("moving.webp", "img2webp", "-loop", "2", "-d", "90", ...frames, "-o", "moving.webp"),
  recipe("moving_lossy.webp", "img2webp", "-lossy", ...frames, "-o", "moving_lossy.webp"),
  recipe("from_gif.webp", "gif2webp", "-quiet", "im_moving.gif", "-o", "from_gif.webp"),
  avifenc("plain.avif", rgb),
  ...["444", "422", "420", "400"].flatMap((yuv) =>
    ["8", "10", "12"].map((depth) => avifenc(`${yuv}_${depth}.avif`, "-y", yuv, "-d", depth, rgb))
  ),
  avifenc("lossless.avif", "-l", rgb),
  avifenc("alpha.avif", alpha),
  avifenc("alpha_10.avif", "-d", "10", alpha),
  avifenc("premultiplied.avif", "-p", alpha),
  avifenc("limited.avif", "-r", "limited", rgb),
  avifenc("p3.avif", "--cicp", "12/13/6", rgb),
  avifenc("profile.avif", "--icc", profile, rgb),
  avifenc("grid.avif", "--grid", "1x1", rgb),
  avifenc("moving.avif", "--fps", "5", ...frames),
  ...["0", "1", "2", "3"].map((angle) => avifenc(`irot_${angle}.avif`, "--irot", angle, rgb)),
  ...["0", "1"].map((mode) => avifenc(`imir_${mode}.avif`, "--imir", mode, rgb)),
  avifenc("both.avif", "--irot", "1", "--imir", "0", rgb),
  avifenc("cropped.avif", "--crop", "8,8,64,32", rgb),
  recipe("heif_enc.avif", "heif-enc", "-A", "-o", "heif_enc.avif", rgb),
  recipe("thumbnail.avif", "heif-enc", "-A", "-t", "32", "-o", "thumbnail.avif", rgb),
  recipe("several.avif", "heif-enc", "-A", "-o", "several.avif", rgb, frames[1]),
  recipe("heif_alpha.avif", "heif-enc", "-A", "-o", "heif_alpha.avif", alpha),
  recipe("plain.heic", "heif-enc", "-o", "plain.heic", rgb),
  recipe("interlaced.gif", "gifsicle", "-i", "-o", "interlaced.gif", "im_fixed.gif"),
  recipe("optimized.gif", "gifsicle", "-O3", "-o", "optimized.gif", "im_moving.gif"),
  recipe(
    "names.gif",
    "gifsicle",
    ...["-c", "by Anna Schmidt", "-n", "Anna", "-x", "im_moving.gif", "-o", "names.gif"],
  ),
  recipe(
    "extension.gif",
    "gifsicle",
    ...["-x", "1", "Anna Schmidt", "im_fixed.gif", "-o", "extension.gif"],
  ),
  ffmpeg("ff.jpg", "-i", rgb),
  ffmpeg("ff_422.jpg", "-i", rgb, "-pix_fmt", "yuvj422p"),
  ffmpeg("ff_grey.jpg", "-i", rgb, "-pix_fmt", "gray"),
  ffmpeg("ff.png", "-i", rgb),
  ffmpeg("ff_grey_16.png", "-i", deep, "-pix_fmt", "gray16be"),
  ffmpeg("ff_rgba64.png", "-i", alpha, "-pix_fmt", "rgba64be"),
  ffmpeg("ff_bilevel.png", "-i", rgb, "-pix_fmt", "monob"),
  ffmpeg("ff_moving.png", ...MOVING, "-f", "apng", "-plays", "0"),
  ffmpeg("ff_moving.gif", ...MOVING),
  ffmpeg("ff.webp", "-i", rgb),
  ffmpeg("ff_moving.webp", ...MOVING, "-loop", "0"),
  ffmpeg("ff.bmp", "-i", rgb),
  ffmpeg("ff_555.bmp", "-i", rgb, "-pix_fmt", "rgb555le"),
  ffmpeg("ff.avif", "-i", rgb, "-c:v", "libaom-av1", "-still-picture", "1"),
  ffmpeg("ff_moving.avif", ...MOVING, "-c:v", "libaom-av1"),
  recipe("plain.jxl", "cjxl", rgb, "plain.jxl", "--quiet"),
];

/** Copies of these get one orientation each, and what a camera writes besides it. */
export const TURNED = [
  "im_420.jpg",
  "im_profile.jpg",
  "im_24.png",
  "lossy.webp",
  "plain.avif",
] as const;
