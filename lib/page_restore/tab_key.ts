/**
 * Tells whether this tab has a session from before a reload. Separate from the module that reads
 * the session, because every page asks, and few have to load the rest.
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

/** Whether this tab has a session from before a reload. */
export function isReturning(role: Role): boolean {
  try {
    return sessionStorage.getItem(memoryKey(role)) !== null;
  } catch {
    return false;
  }
}
