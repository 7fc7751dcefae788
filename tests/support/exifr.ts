/**
 * A reader of metadata that shares nothing with ours.
 *
 * @module
 */
// deno-lint-ignore-file no-explicit-any -- its types are as loose
import exifr from "npm:exifr@^7.1.3";

/**
 * Everything that it finds in a picture, as JSON; `{}` where there is nothing. What says how pixels
 * are to be seen is left out.
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
  // It complains about blocks that are all zeros, as those of an AVIF are afterwards.
  const { Orientation: _, errors: __, ...rest } = found ?? {};
  return JSON.stringify(rest);
}
