/**
 * Whether a page before this one left a session in this tab. It stands apart from what reads that
 * session, because every page asks, and few have to load the rest.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { Role } from "../e2e/transcript.ts";

/** The key in the tab's storage under which a page of `role` keeps its session (tab_memory.ts). */
export function memoryKey(role: Role): string {
  return `session ${role}`;
}

/** Whether a page before this one left a session in this tab. */
export function isReturning(role: Role): boolean {
  try {
    return sessionStorage.getItem(memoryKey(role)) !== null;
  } catch {
    return false;
  }
}
