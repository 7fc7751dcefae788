/**
 * The worker that plays a picture: it holds one picture, and decodes the frame that is requested.
 * It is a file of its own, loaded only if a picture may be animated.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { Animation } from "./animation.ts";
import type { AnimationRequest } from "./animation_messages.ts";
import { ImageError } from "./errors.ts";
import { answerEach } from "./worker_requests.ts";

let animation: Animation | null = null;

answerEach<AnimationRequest>(async (request) => {
  switch (request.kind) {
    case "open": {
      const [opened, facts] = await Animation.open(request);
      animation = opened;
      return { result: facts, transfer: [] };
    }
    case "frame": {
      if (animation === null) throw new ImageError("undecodable");
      const frame = await animation.frame(request);
      const { bitmap, detail } = frame;
      return { result: frame, transfer: detail === null ? [bitmap] : [bitmap, detail] };
    }
    case "wipe":
      animation?.wipe();
      animation = null;
      return { result: null, transfer: [] };
    default:
      return request satisfies never;
  }
});
