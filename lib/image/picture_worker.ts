/**
 * The worker that decodes pictures, and prepares those that are chosen. A classic script, since it
 * needs nothing of modules and those are what older browsers lack in workers. One for both, so that
 * what a picture needs is there at once.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { decode } from "./decode.ts";
import type { CloseRequest, OpenRequest, RenderRequest } from "./decode_messages.ts";
import type { PictureRequest } from "./decoder.ts";
import { ImageError } from "./errors.ts";
import { type Answer, answerEach } from "./worker_requests.ts";
import { OpenPicture } from "./open_picture.ts";
import { prepare, preview } from "./prepare.ts";

/** People look at one at a time. */
let open: { readonly id: number; readonly picture: OpenPicture } | null = null;

answerEach<PictureRequest>((request) => {
  if (request.kind !== "close") return answer(request);
  close(request);
  return null;
});

async function answer(request: Exclude<PictureRequest, CloseRequest>): Promise<Answer> {
  switch (request.kind) {
    case "decode": {
      const bitmap = await decode(request);
      return { result: bitmap, transfer: [bitmap] };
    }
    case "preview": {
      const bitmap = await preview(request);
      return { result: bitmap, transfer: [bitmap] };
    }
    case "prepare": {
      const made = await prepare(request);
      return { result: made, transfer: [made.thumbnail] };
    }
    case "open": {
      const opened = await begin(request).open(request);
      return { result: opened, transfer: [opened.bitmap] };
    }
    case "render": {
      const bitmap = await find(request).render(request);
      return { result: bitmap, transfer: [bitmap] };
    }
    default:
      return request satisfies never;
  }
}

function begin(request: OpenRequest): OpenPicture {
  open?.picture.close();
  const picture = new OpenPicture(request);
  open = { id: request.picture, picture };
  return picture;
}

function find({ picture }: RenderRequest): OpenPicture {
  // The worker that had it was ended, or another one was opened since.
  if (open?.id !== picture) throw new ImageError("aborted");
  return open.picture;
}

function close({ picture }: CloseRequest): void {
  if (open?.id !== picture) return;
  open.picture.close();
  open = null;
}
