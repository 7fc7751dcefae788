/**
 * A metadata reader that shares no code with ours.
 *
 * @module
 */
// deno-lint-ignore-file no-explicit-any -- its types are as loose
import exifr from "npm:exifr@^7.1.3";

/**
 * All metadata that it finds in a picture, as JSON; `{}` if there is none. Fields that affect how
 * pixels are displayed are left out.
 */
export async function readMetadata(bytes: Uint8Array): Promise<string> {
  const found: any = await (exifr as any).parse(bytes, {
    tiff: true,
    ifd1: true,
    exif: true,
    gps: true,
    interop: true,
    makerNote: true,
    userComment: true,
    xmp: true,
    iptc: true,
    icc: false,
    jfif: false,
    ihdr: false,
    multiSegment: true,
    mergeOutput: true,
    translateValues: false,
  });
  // It reports errors for blocks that are all zeros, as in an AVIF after cleaning.
  const { Orientation: _, errors: __, ...rest } = found ?? {};
  return JSON.stringify(rest);
}
