/**
 * Small animated pictures by four encoders that are not ours: each has 48 × 32 pixels and the
 * frames red, green, blue and yellow, 40 ms each. No canvas writes such files, and not every
 * machine has these encoders.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { ImageType } from "../../lib/protocol/control.ts";

/** The colors of the frames, in order. */
export const FRAME_COLOURS = ["red", "green", "blue", "yellow"] as const;

/** One of {@linkcode MOVING}. */
export interface MovingPicture {
  readonly name: string;
  readonly type: ImageType;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** How often the animation is played. */
  readonly plays: number;
}

function decode(base64: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(base64, "base64"));
}

/** By gifsicle 1.93. */
const GIF =
  "R0lGODlhMAAgAPEAAP8AAAD/AAAA////ACH/C05FVFNDQVBFMi4wAwEBAAAh/wtJbWFnZU1hZ2ljaw1nYW1tYT0wLjQ1" +
  "NDU1ACH5BAAEAP8ALAAAAAAwACAAAAImhI+py+0Po5y02ouz3rz7D4biSJbmiabqyrbuC8fyTNf2jef6XQAAIf8LSW1h" +
  "Z2VNYWdpY2sNZ2FtbWE9MC40NTQ1NQAh+QQABAD/ACwAAAAAMAAgAAACJoyPqcvtD6OctNqLs968+w+G4kiW5omm6sq2" +
  "7gvH8kzX9o3n+l0AACH/C0ltYWdlTWFnaWNrDWdhbW1hPTAuNDU0NTUAIfkEAAQA/wAsAAAAADAAIAAAAiaUj6nL7Q+j" +
  "nLTai7PevPsPhuJIluaJpurKtu4Lx/JM1/aN5/pdAAAh/wtJbWFnZU1hZ2ljaw1nYW1tYT0wLjQ1NDU1ACH5BAAEAP8A" +
  "LAAAAAAwACAAAAImnI+py+0Po5y02ouz3rz7D4biSJbmiabqyrbuC8fyTNf2jef6XQAAOw==";

/** By ffmpeg 5.1. */
const APNG =
  "iVBORw0KGgoAAAANSUhEUgAAADAAAAAgCAIAAADbtmxLAAAACXBIWXMAAAAAAAAAAQCEeRdzAAAACGFjVEwAAAAEAAAA" +
  "ApLDB/wAAAAaZmNUTAAAAAAAAAAwAAAAIAAAAAAAAAAAAAEAGQAAlwUFyQAAADVJREFUeJztzgEJADAMA7D6N73LaA+B" +
  "CEgumdIfCAkJCY3pD4SEhITG9AdCQkJCY/oDod9DD9kO+kxjCoXyAAAAGmZjVEwAAAABAAAAMAAAACAAAAAAAAAAAAAB" +
  "ABkAAAx27x0AAAA5ZmRBVAAAAAJ4nO3OAQkAMAwDsPo3vctoD4EISHLZ0h8ICQkJjekPhISEhMb0B0JCQkJj+gOhz0MP" +
  "3rT6TH0tHGoAAAAaZmNUTAAAAAMAAAAwAAAAIAAAAAAAAAAAAAEAGQAA4eA89AAAADlmZEFUAAAABHic7c4BCQAwDAOw" +
  "+je9y2gPgQhIkhvTHwgJCQmN6Q+EhISExvQHQkJCQmP6A6G/Qw/kWvpMwDr0CAAAABpmY1RMAAAABQAAADAAAAAgAAAA" +
  "AAAAAAAAAQAZAAAMKk6OAAAAN2ZkQVQAAAAGeJztzjENAAAIAzD8mx4uGEeTCugk80p/ICQkJNQeCAkJCbUHQkJCQu2B" +
  "kJDQsQWlsfSmfSgndAAAAABJRU5ErkJggg==";

/** By img2webp 1.2. */
const WEBP =
  "UklGRuQAAABXRUJQVlA4WAoAAAACAAAALwAAHwAAQU5JTQYAAAD/////AgBBTk1GKAAAAAAAAAAAAC8AAB8AACgAAAJW" +
  "UDhMDwAAAC8vwAcABxD9j/4HIqL/AQBBTk1GKAAAAAAAAAAAAC8AAB8AACgAAABWUDhMDwAAAC8vwAcAB9D/iP4HIqL/" +
  "AQBBTk1GKAAAAAAAAAAAAC8AAB8AACgAAABWUDhMDwAAAC8vwAcABxDR//4HIqL/AQBBTk1GKAAAAAAAAAAAAC8AAB8A" +
  "ACgAAABWUDhMEAAAAC8vwAcAB9D//kf/AxHR/wA=";

/** By avifenc 0.11. */
const AVIF =
  "AAAALGZ0eXBhdmlzAAAAAGF2aWZhdmlzbXNmMWlzbzhtaWYxbWlhZk1BMUEAAAGNbWV0YQAAAAAAAAAoaGRscgAAAAAA" +
  "AAAAcGljdAAAAAAAAAAAAAAAAGxpYmF2aWYAAAAADnBpdG0AAAAAAAEAAAAsaWxvYwAAAABEAAACAAEAAAABAAAHGgAA" +
  "ACcAAgAAAAEAAAbMAAAAGwAAAEJpaW5mAAAAAAACAAAAGmluZmUCAAAAAAEAAGF2MDFDb2xvcgAAAAAaaW5mZQIAAAAA" +
  "AgAAYXYwMUFscGhhAAAAABppcmVmAAAAAAAAAA5hdXhsAAIAAQABAAAAw2lwcnAAAACdaXBjbwAAABRpc3BlAAAAAAAA" +
  "ADAAAAAgAAAAEHBpeGkAAAAAAwgICAAAAAxhdjFDgSAAAAAAABNjb2xybmNseAABAA0ABoAAAAAOcGl4aQAAAAABCAAA" +
  "AAxhdjFDgQAcAAAAADhhdXhDAAAAAHVybjptcGVnOm1wZWdCOmNpY3A6c3lzdGVtczphdXhpbGlhcnk6YWxwaGEAAAAA" +
  "HmlwbWEAAAAAAAAAAgABBAECgwQAAgQBBYYHAAAFC21vb3YAAAB4bXZoZAEAAAAAAAAA5zJrNAAAAADnMms0AAAAGQAA" +
  "AAAAAAAEAAEAAAEAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAAAAAA" +
  "AAAAAAAAAAAAAAAAAAAAAAIAAAIpdHJhawAAAGh0a2hkAQAAAQAAAADnMms0AAAAAOcyazQAAAABAAAAAAAAAAAAAAAE" +
  "AAAAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAAAAAQAAAAAAwAAAAIAAAAAABuW1kaWEA" +
  "AAAsbWRoZAEAAAAAAAAA5zJrNAAAAADnMms0AAAAGQAAAAAAAAAEVcQAAAAAAChoZGxyAAAAAAAAAABwaWN0AAAAAAAA" +
  "AAAAAAAAbGliYXZpZgAAAAFdbWluZgAAABR2bWhkAAAAAQAAAAAAAAAAAAAAJGRpbmYAAAAcZHJlZgAAAAAAAAABAAAA" +
  "DHVybCAAAAABAAABHXN0YmwAAAAUc3RjbwAAAAAAAAABAAAHGgAAABxzdHNjAAAAAAAAAAEAAAABAAAABAAAAAEAAAAk" +
  "c3RzegAAAAAAAAAAAAAABAAAACcAAAAfAAAAIwAAAB4AAAAUc3RzcwAAAAAAAAABAAAAAQAAABhzdHRzAAAAAAAAAAEA" +
  "AAAEAAAAAQAAAJVzdHNkAAAAAAAAAAEAAACFYXYwMQAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAwACAASAAAAEgAAAAA" +
  "AAAAAQpBT00gQ29kaW5nAAAAAAAAAAAAAAAAAAAAAAAAAAAAABj//wAAAAxhdjFDgSAAAAAAABNjb2xybmNseAABAA0A" +
  "BoAAAAAQY2NzdAAAAAB8AAAAAAACYnRyYWsAAABodGtoZAEAAAEAAAAA5zJrNAAAAADnMms0AAAAAgAAAAAAAAAAAAAA" +
  "BAAAAAAAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAEAAAAAAMAAAACAAAAAAABR0cmVm" +
  "AAAADGF1eGwAAAABAAAB3m1kaWEAAAAsbWRoZAEAAAAAAAAA5zJrNAAAAADnMms0AAAAGQAAAAAAAAAEVcQAAAAAACho" +
  "ZGxyAAAAAAAAAABhdXh2AAAAAAAAAAAAAAAAbGliYXZpZgAAAAGCbWluZgAAABR2bWhkAAAAAQAAAAAAAAAAAAAAJGRp" +
  "bmYAAAAcZHJlZgAAAAAAAAABAAAADHVybCAAAAABAAABQnN0YmwAAAAUc3RjbwAAAAAAAAABAAAGzAAAABxzdHNjAAAA" +
  "AAAAAAEAAAABAAAABAAAAAEAAAAkc3RzegAAAAAAAAAAAAAABAAAABsAAAARAAAAEQAAABEAAAAUc3RzcwAAAAAAAAAB" +
  "AAAAAQAAABhzdHRzAAAAAAAAAAEAAAAEAAAAAQAAALpzdHNkAAAAAAAAAAEAAACqYXYwMQAAAAAAAAABAAAAAAAAAAAA" +
  "AAAAAAAAAAAwACAASAAAAEgAAAAAAAAAAQpBT00gQ29kaW5nAAAAAAAAAAAAAAAAAAAAAAAAAAAAABj//wAAAAxhdjFD" +
  "gQAcAAAAABBjY3N0AAAAAHwAAAAAAAA4YXV4aQAAAAB1cm46bXBlZzptcGVnQjpjaWNwOnN5c3RlbXM6YXV4aWxpYXJ5" +
  "OmFscGhhAAAAAN1tZGF0EgAKCgAAAAKl/za+SoAyCxAAgAAAbzgVmntgEgAyDTADwIAAAEaABADdEMQSADINMAXBBAAA" +
  "RoAEAN0QxBIAMg0wBgIEBABGgAQA3BkwEgAKDSAAAAKl/za+SAhoNIAyFBAAsAAAAkAAAARXGcfySh3MSLo6EgAyGzAD" +
  "wIAAAEawAAACQAAgAAAn0r7T9+D18AGHMBIAMh8wBcEEAABGsAAAAkAAoAC69bJyPtA5M98OM0psArggEgAyGjAGAgQE" +
  "AEawAAACQAAgAACqIain377ThHlA";

/** One of each format. */
export const MOVING: readonly MovingPicture[] = [
  { name: "moving.gif", type: "image/gif", bytes: decode(GIF), plays: 2 },
  { name: "moving.png", type: "image/png", bytes: decode(APNG), plays: 2 },
  { name: "moving.webp", type: "image/webp", bytes: decode(WEBP), plays: 2 },
  { name: "moving.avif", type: "image/avif", bytes: decode(AVIF), plays: Infinity },
];

/** A GIF of one color, encoded as small as possible. `ms` per frame, a multiple of 10. */
export function flatGif(
  { width, height, frames, ms }: { width: number; height: number; frames: number; ms: number },
): Uint8Array<ArrayBuffer> {
  const word = (n: number) => [n & 0xff, n >>> 8];
  const text = (value: string) => [...new TextEncoder().encode(value)];
  const head = [...text("GIF89a"), ...word(width), ...word(height), 0x80, 0, 0];
  head.push(255, 0, 0, 0, 0, 255, 0x21, 0xff, 11, ...text("NETSCAPE2.0"), 3, 1, 0, 0, 0);
  const frame = [0x21, 0xf9, 4, 4, ...word(ms / 10), 0, 0];
  frame.push(0x2c, 0, 0, 0, 0, ...word(width), ...word(height), 0, ...flatPixels(width * height));
  const bytes = new Uint8Array(head.length + frames * frame.length + 1);
  bytes.set(head);
  for (let i = 0; i < frames; i++) bytes.set(frame, head.length + i * frame.length);
  bytes[bytes.length - 1] = 0x3b;
  return bytes;
}

/** LZW of one color: each code represents a run that is longer by one than the previous code's. */
function flatPixels(pixels: number): number[] {
  const [CLEAR, END, FIRST, FULL] = [4, 5, 6, 4_096];
  const sizeOf = (code: number) => Math.min(12, Math.max(3, 32 - Math.clz32(code)));
  const out: number[] = [];
  let [bits, held, size] = [0, 0, 3];
  const put = (code: number) => {
    bits |= code << held;
    for (held += size; held >= 8; held -= 8) {
      out.push(bits & 0xff);
      bits >>>= 8;
    }
  };
  for (let left = pixels; left > 0;) {
    put(CLEAR);
    size = 3;
    put(0);
    left -= 1;
    for (let code = FIRST; code < FULL && left > 0; code++) {
      const run = Math.min(code - FIRST + 2, left);
      put(run === 1 ? 0 : run + FIRST - 2);
      left -= run;
      size = sizeOf(code + 1);
    }
  }
  put(END);
  if (held > 0) out.push(bits & 0xff);
  const blocks = [2];
  for (let at = 0; at < out.length; at += 255) {
    const block = out.slice(at, at + 255);
    blocks.push(block.length, ...block);
  }
  return [...blocks, 0];
}
