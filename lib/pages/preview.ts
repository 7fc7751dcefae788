/**
 * Plays a small preview of an animated picture on its sender's page. Loaded only if there is one.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { Frame } from "../image/animation_messages.ts";
import { canAnimate } from "../image/animator.ts";
import type { Prepared } from "../image/prepared.ts";
import { Player } from "../viewer/player.ts";
import { makeAnimator } from "./make_animator.ts";

/** Maximum number of previews that play at once; each has a worker. */
const MOST = 3;

let playing = 0;

/**
 * Plays a picture in a canvas that already has its size and its first frame, until `signal` aborts.
 * Does nothing if this browser can't play the picture, the user prefers reduced motion, or
 * {@linkcode MOST} others are playing. Never rejects.
 */
export async function playPreview(
  canvas: HTMLCanvasElement,
  { blob, type }: Pick<Prepared, "blob" | "type">,
  signal: AbortSignal,
): Promise<void> {
  const context = canvas.getContext("2d");
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (context === null || calm || !canAnimate() || playing >= MOST || signal.aborted) return;
  playing += 1;
  const animator = makeAnimator();
  let player: Player<Frame> | null = null;
  signal.addEventListener("abort", () => {
    playing -= 1;
    player?.stop();
    void animator.wipe();
  }, { once: true });
  const { width, height } = canvas;
  try {
    const facts = await animator.open(blob, type, { maxWidth: width, maxHeight: height });
    if (signal.aborted) return;
    player = new Player({
      source: animator,
      facts,
      show({ bitmap }) {
        context.clearRect(0, 0, width, height);
        context.drawImage(bitmap, 0, 0, width, height);
        bitmap.close();
      },
      onChange: () => {},
    });
    player.play();
  } catch {
    // The canvas shows its first frame already.
  }
}
