/**
 * The worker that decodes pictures, and prepares chosen ones. It is a classic script, because it
 * needs no modules, and older browsers lack module workers. One worker does both, so that
 * everything a picture needs is ready at once.
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

/** People look at one picture at a time. */
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
  // The worker that held it was terminated, or another picture was opened since.
  if (open?.id !== picture) throw new ImageError("aborted");
  return open.picture;
}

function close({ picture }: CloseRequest): void {
  if (open?.id !== picture) return;
  open.picture.close();
  open = null;
}
