/**
 * What a browser says about the network that it is in.
 *
 * This module is browser compatible.
 *
 * @module
 */

/**
 * Calls `moved` when the browser says that this device is in another network. Phones do, and
 * whoever was in none for a moment; a computer that has two at once, and loses one, says nothing.
 */
export function whenMoved(moved: () => void, signal: AbortSignal): void {
  globalThis.addEventListener("online", moved, { signal });
  const connection: unknown = "connection" in navigator ? navigator.connection : null;
  if (!(connection instanceof EventTarget)) return;
  let kind = kindOf(connection);
  connection.addEventListener("change", () => {
    const before = kind;
    kind = kindOf(connection);
    // It tells of speed as well, all the time; and without a network there is nothing to do yet.
    if (kind !== before && kind !== "none") moved();
  }, { signal });
}

/** Wi-Fi, or the mobile network; only phones know. */
function kindOf(connection: EventTarget): unknown {
  return "type" in connection ? connection.type : undefined;
}
