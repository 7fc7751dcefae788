/**
 * Pictures that move, small ones by four encoders that know nothing of this project: each is 48 ×
 * 32 pixels of red, green, blue and yellow, 40 ms of each. No canvas writes such files, and not
 * every machine has what does.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { ImageType } from "../../lib/protocol/control.ts";

/** The colours of the frames, in order. */
export const FRAME_COLOURS = ["red", "green", "blue", "yellow"] as const;

/** One of {@linkcode MOVING}. */
export interface MovingPicture {
  readonly name: string;
  readonly type: ImageType;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** How often all of its frames are shown. */
  readonly plays: number;
}

function decode(base64: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(base64, "base64"));
}

/** By gifsicle 1.93. */
const GIF =
  "R0lGODlhMAAgAPEAAP8AAAD/AAAA////ACH/C05FVFNDQVBFMi4wAwEBAAAh/wtJbWFnZU1hZ2ljaw1nYW1tYT0wLjQ1NDU1" +
  "ACH5BAAEAP8ALAAAAAAwACAAAAImhI+py+0Po5y02ouz3rz7D4biSJbmiabqyrbuC8fyTNf2jef6XQAAIf8LSW1hZ2VNYWdp" +
  "Y2sNZ2FtbWE9MC40NTQ1NQAh+QQABAD/ACwAAAAAMAAgAAACJoyPqcvtD6OctNqLs968+w+G4kiW5omm6sq27gvH8kzX9o3n" +
  "+l0AACH/C0ltYWdlTWFnaWNrDWdhbW1hPTAuNDU0NTUAIfkEAAQA/wAsAAAAADAAIAAAAiaUj6nL7Q+jnLTai7PevPsPhuJI" +
  "luaJpurKtu4Lx/JM1/aN5/pdAAAh/wtJbWFnZU1hZ2ljaw1nYW1tYT0wLjQ1NDU1ACH5BAAEAP8ALAAAAAAwACAAAAImnI+p" +
  "y+0Po5y02ouz3rz7D4biSJbmiabqyrbuC8fyTNf2jef6XQAAOw==";

/** By ffmpeg 5.1. */
const APNG =
  "iVBORw0KGgoAAAANSUhEUgAAADAAAAAgCAIAAADbtmxLAAAACXBIWXMAAAAAAAAAAQCEeRdzAAAACGFjVEwAAAAEAAAAApLD" +
  "B/wAAAAaZmNUTAAAAAAAAAAwAAAAIAAAAAAAAAAAAAEAGQAAlwUFyQAAADVJREFUeJztzgEJADAMA7D6N73LaA+BCEgumdIf" +
  "CAkJCY3pD4SEhITG9AdCQkJCY/oDod9DD9kO+kxjCoXyAAAAGmZjVEwAAAABAAAAMAAAACAAAAAAAAAAAAABABkAAAx27x0A" +
  "AAA5ZmRBVAAAAAJ4nO3OAQkAMAwDsPo3vctoD4EISHLZ0h8ICQkJjekPhISEhMb0B0JCQkJj+gOhz0MP3rT6TH0tHGoAAAAa" +
  "ZmNUTAAAAAMAAAAwAAAAIAAAAAAAAAAAAAEAGQAA4eA89AAAADlmZEFUAAAABHic7c4BCQAwDAOw+je9y2gPgQhIkhvTHwgJ" +
  "CQmN6Q+EhISExvQHQkJCQmP6A6G/Qw/kWvpMwDr0CAAAABpmY1RMAAAABQAAADAAAAAgAAAAAAAAAAAAAQAZAAAMKk6OAAAA" +
  "N2ZkQVQAAAAGeJztzjENAAAIAzD8mx4uGEeTCugk80p/ICQkJNQeCAkJCbUHQkJCQu2BkJDQsQWlsfSmfSgndAAAAABJRU5E" +
  "rkJggg==";

/** By img2webp 1.2. */
const WEBP =
  "UklGRuQAAABXRUJQVlA4WAoAAAACAAAALwAAHwAAQU5JTQYAAAD/////AgBBTk1GKAAAAAAAAAAAAC8AAB8AACgAAAJWUDhM" +
  "DwAAAC8vwAcABxD9j/4HIqL/AQBBTk1GKAAAAAAAAAAAAC8AAB8AACgAAABWUDhMDwAAAC8vwAcAB9D/iP4HIqL/AQBBTk1G" +
  "KAAAAAAAAAAAAC8AAB8AACgAAABWUDhMDwAAAC8vwAcABxDR//4HIqL/AQBBTk1GKAAAAAAAAAAAAC8AAB8AACgAAABWUDhM" +
  "EAAAAC8vwAcAB9D//kf/AxHR/wA=";

/** By avifenc 0.11. */
const AVIF =
  "AAAALGZ0eXBhdmlzAAAAAGF2aWZhdmlzbXNmMWlzbzhtaWYxbWlhZk1BMUEAAAGNbWV0YQAAAAAAAAAoaGRscgAAAAAAAAAA" +
  "cGljdAAAAAAAAAAAAAAAAGxpYmF2aWYAAAAADnBpdG0AAAAAAAEAAAAsaWxvYwAAAABEAAACAAEAAAABAAAHGgAAACcAAgAA" +
  "AAEAAAbMAAAAGwAAAEJpaW5mAAAAAAACAAAAGmluZmUCAAAAAAEAAGF2MDFDb2xvcgAAAAAaaW5mZQIAAAAAAgAAYXYwMUFs" +
  "cGhhAAAAABppcmVmAAAAAAAAAA5hdXhsAAIAAQABAAAAw2lwcnAAAACdaXBjbwAAABRpc3BlAAAAAAAAADAAAAAgAAAAEHBp" +
  "eGkAAAAAAwgICAAAAAxhdjFDgSAAAAAAABNjb2xybmNseAABAA0ABoAAAAAOcGl4aQAAAAABCAAAAAxhdjFDgQAcAAAAADhh" +
  "dXhDAAAAAHVybjptcGVnOm1wZWdCOmNpY3A6c3lzdGVtczphdXhpbGlhcnk6YWxwaGEAAAAAHmlwbWEAAAAAAAAAAgABBAEC" +
  "gwQAAgQBBYYHAAAFC21vb3YAAAB4bXZoZAEAAAAAAAAA5zJrNAAAAADnMms0AAAAGQAAAAAAAAAEAAEAAAEAAAAAAAAAAAAA" +
  "AAABAAAAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIAAAIpdHJh" +
  "awAAAGh0a2hkAQAAAQAAAADnMms0AAAAAOcyazQAAAABAAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAAA" +
  "AAAAAAAAAQAAAAAAAAAAAAAAAAAAQAAAAAAwAAAAIAAAAAABuW1kaWEAAAAsbWRoZAEAAAAAAAAA5zJrNAAAAADnMms0AAAA" +
  "GQAAAAAAAAAEVcQAAAAAAChoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAbGliYXZpZgAAAAFdbWluZgAAABR2bWhkAAAA" +
  "AQAAAAAAAAAAAAAAJGRpbmYAAAAcZHJlZgAAAAAAAAABAAAADHVybCAAAAABAAABHXN0YmwAAAAUc3RjbwAAAAAAAAABAAAH" +
  "GgAAABxzdHNjAAAAAAAAAAEAAAABAAAABAAAAAEAAAAkc3RzegAAAAAAAAAAAAAABAAAACcAAAAfAAAAIwAAAB4AAAAUc3Rz" +
  "cwAAAAAAAAABAAAAAQAAABhzdHRzAAAAAAAAAAEAAAAEAAAAAQAAAJVzdHNkAAAAAAAAAAEAAACFYXYwMQAAAAAAAAABAAAA" +
  "AAAAAAAAAAAAAAAAAAAwACAASAAAAEgAAAAAAAAAAQpBT00gQ29kaW5nAAAAAAAAAAAAAAAAAAAAAAAAAAAAABj//wAAAAxh" +
  "djFDgSAAAAAAABNjb2xybmNseAABAA0ABoAAAAAQY2NzdAAAAAB8AAAAAAACYnRyYWsAAABodGtoZAEAAAEAAAAA5zJrNAAA" +
  "AADnMms0AAAAAgAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAEAA" +
  "AAAAMAAAACAAAAAAABR0cmVmAAAADGF1eGwAAAABAAAB3m1kaWEAAAAsbWRoZAEAAAAAAAAA5zJrNAAAAADnMms0AAAAGQAA" +
  "AAAAAAAEVcQAAAAAAChoZGxyAAAAAAAAAABhdXh2AAAAAAAAAAAAAAAAbGliYXZpZgAAAAGCbWluZgAAABR2bWhkAAAAAQAA" +
  "AAAAAAAAAAAAJGRpbmYAAAAcZHJlZgAAAAAAAAABAAAADHVybCAAAAABAAABQnN0YmwAAAAUc3RjbwAAAAAAAAABAAAGzAAA" +
  "ABxzdHNjAAAAAAAAAAEAAAABAAAABAAAAAEAAAAkc3RzegAAAAAAAAAAAAAABAAAABsAAAARAAAAEQAAABEAAAAUc3RzcwAA" +
  "AAAAAAABAAAAAQAAABhzdHRzAAAAAAAAAAEAAAAEAAAAAQAAALpzdHNkAAAAAAAAAAEAAACqYXYwMQAAAAAAAAABAAAAAAAA" +
  "AAAAAAAAAAAAAAAwACAASAAAAEgAAAAAAAAAAQpBT00gQ29kaW5nAAAAAAAAAAAAAAAAAAAAAAAAAAAAABj//wAAAAxhdjFD" +
  "gQAcAAAAABBjY3N0AAAAAHwAAAAAAAA4YXV4aQAAAAB1cm46bXBlZzptcGVnQjpjaWNwOnN5c3RlbXM6YXV4aWxpYXJ5OmFs" +
  "cGhhAAAAAN1tZGF0EgAKCgAAAAKl/za+SoAyCxAAgAAAbzgVmntgEgAyDTADwIAAAEaABADdEMQSADINMAXBBAAARoAEAN0Q" +
  "xBIAMg0wBgIEBABGgAQA3BkwEgAKDSAAAAKl/za+SAhoNIAyFBAAsAAAAkAAAARXGcfySh3MSLo6EgAyGzADwIAAAEawAAAC" +
  "QAAgAAAn0r7T9+D18AGHMBIAMh8wBcEEAABGsAAAAkAAoAC69bJyPtA5M98OM0psArggEgAyGjAGAgQEAEawAAACQAAgAACq" +
  "Iain377ThHlA";

/** One of each format. */
export const MOVING: readonly MovingPicture[] = [
  { name: "moving.gif", type: "image/gif", bytes: decode(GIF), plays: 2 },
  { name: "moving.png", type: "image/png", bytes: decode(APNG), plays: 2 },
  { name: "moving.webp", type: "image/webp", bytes: decode(WEBP), plays: 2 },
  { name: "moving.avif", type: "image/avif", bytes: decode(AVIF), plays: Infinity },
];

/** A GIF of one colour, encoded as small as can be. `ms`: of each frame, a multiple of 10. */
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

/** LZW of one colour: each code stands for a run that is longer by one than the one before. */
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
