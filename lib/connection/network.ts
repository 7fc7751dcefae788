/**
 * What a browser reports about its network.
 *
 * This module is browser compatible.
 *
 * @module
 */

/**
 * Calls `moved` when the browser reports that this device has changed networks. Phones report it,
 * and so does a device that was offline for a moment. A computer that is in two networks and loses
 * one reports nothing.
 */
export function whenMoved(moved: () => void, signal: AbortSignal): void {
  globalThis.addEventListener("online", moved, { signal });
  const connection: unknown = "connection" in navigator ? navigator.connection : null;
  if (!(connection instanceof EventTarget)) return;
  let kind = kindOf(connection);
  connection.addEventListener("change", () => {
    const before = kind;
    kind = kindOf(connection);
    // The event also reports changes of speed, often. And without a network there is nothing to do
    // yet.
    if (kind !== before && kind !== "none") moved();
  }, { signal });
}

/** Wi-Fi, or the mobile network; only phones know. */
function kindOf(connection: EventTarget): unknown {
  return "type" in connection ? connection.type : undefined;
}
