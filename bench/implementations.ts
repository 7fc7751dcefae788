/**
 * All implementations in the transfer benchmark, in the order of the first round. Bundled into its
 * pages.
 *
 * @module
 */
import { bare } from "./bare.ts";
import type { Implementation } from "./implementation.ts";
import { ours } from "./ours.ts";

/** The bare channel with the two message sizes that proved best, and ours. */
export const IMPLEMENTATIONS: readonly Implementation[] = [bare(16 * 1024), bare(64 * 1024), ours];
