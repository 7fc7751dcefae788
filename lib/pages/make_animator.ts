/**
 * Creates the player of animated pictures, for both pages.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { Animator } from "../image/animator.ts";
import { workerMaker } from "../device/environment.ts";

/** Starts the animation worker. */
export function makeAnimator(): Animator {
  return new Animator(workerMaker("/workers/animation_worker.js"));
}
