import { contentType } from "jsr:@std/media-types@^1.1.0/content-type";
import { assertEquals } from "@std/assert";

Deno.test("contentType() knows the types of static files, and the charset of texts", () => {
  const cases: [extension: string, type: string | undefined][] = [
    [".css", "text/css; charset=UTF-8"],
    ["html", "text/html; charset=UTF-8"],
    [".JS", "text/javascript; charset=UTF-8"],
    [".mjs", "text/javascript; charset=UTF-8"],
    [".json", "application/json; charset=UTF-8"],
    [".map", "application/json; charset=UTF-8"],
    [".webmanifest", "application/manifest+json; charset=UTF-8"],
    [".md", "text/markdown; charset=UTF-8"],
    [".txt", "text/plain; charset=UTF-8"],
    [".xml", "application/xml"],
    [".svg", "image/svg+xml"],
    [".avif", "image/avif"],
    [".gif", "image/gif"],
    [".ico", "image/vnd.microsoft.icon"],
    [".jpg", "image/jpeg"],
    [".jpeg", "image/jpeg"],
    [".png", "image/png"],
    [".webp", "image/webp"],
    [".mp4", "video/mp4"],
    [".pdf", "application/pdf"],
    [".wasm", "application/wasm"],
    [".woff2", "font/woff2"],
    [".nope", undefined],
    ["", undefined],
  ];
  for (const [extension, type] of cases) assertEquals(contentType(extension), type, extension);
});
