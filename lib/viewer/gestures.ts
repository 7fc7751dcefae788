/**
 * Gestures by fingers, mouse and keys on a picture: press, zoom, pan.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { Point } from "./zoom.ts";

/** What gestures act on. */
export interface GestureTarget {
  /** 1 = the whole picture. */
  readonly scale: number;
  /** The scale at which the picture fills its box. */
  readonly fillScale: number;
  /** Zooms by `factor` around a point, in CSS pixels from the middle of the box. */
  zoomBy(factor: number, at: Point): void;
  /** Moves the picture by CSS pixels. */
  panBy(x: number, y: number): void;
  /** Shows the whole picture again. */
  showWhole(): void;
}

/** Settings of {@linkcode watchGestures}. */
export interface GestureOptions {
  /** Element that is watched for fingers and mouse; keys are watched on the whole page. */
  readonly box: HTMLElement;
  readonly target: GestureTarget;
  readonly signal: AbortSignal;
  /**
   * Called synchronously inside the event when a press begins and ends; `null` if the picture need
   * not be pressed.
   */
  readonly onPress: ((pressed: boolean) => void) | null;
}

const STEP = 1.25;
const STEP_PX = 60;
const DOUBLE_TAP_SCALE = 2.5;
const DOUBLE_TAP_MS = 300;
const TAP_PX = 12;
const MIDDLE: Point = { x: 0, y: 0 };
/**
 * One notch of a wheel is 100 pixels and zooms in by a fifth; a pinch on a trackpad arrives as many
 * small wheel events with Control.
 */
const WHEEL_RATE = 0.002;
const TRACKPAD_RATE = 0.01;
const LINE_PX = 33;
const PRESS_KEYS: readonly string[] = [" ", "Enter"];

/** Watches until `signal` aborts. The first finger presses, so a second one can zoom meanwhile. */
export function watchGestures({ box, target, signal, onPress }: GestureOptions): void {
  const pointers = new Map<number, Point>();
  /** The pointer or key that presses. */
  let presser: number | string | null = null;
  let tap: { readonly at: number; readonly place: Point } | null = null;

  function press(by: number | string): void {
    if (presser !== null) return;
    presser = by;
    onPress?.(true);
  }

  function release(by: number | string): void {
    if (presser !== by) return;
    presser = null;
    onPress?.(false);
  }

  function place(event: MouseEvent): Point {
    const { left, top, width, height } = box.getBoundingClientRect();
    return { x: event.clientX - left - width / 2, y: event.clientY - top - height / 2 };
  }

  function down(event: PointerEvent): void {
    if (event.button !== 0) return;
    pointers.set(event.pointerId, place(event));
    // Without capture, a finger that leaves the box would be lost, and its release with it.
    if (event.isTrusted) box.setPointerCapture(event.pointerId);
    if (pointers.size === 1) press(event.pointerId);
    else tap = null;
    if (pointers.size === 1 && onPress === null) doubleTap(event);
  }

  function doubleTap(event: PointerEvent): void {
    const here = place(event);
    const before = tap;
    tap = { at: event.timeStamp, place: here };
    if (before === null || event.timeStamp - before.at > DOUBLE_TAP_MS) return;
    if (Math.hypot(here.x - before.place.x, here.y - before.place.y) > TAP_PX) return;
    tap = null;
    if (target.scale > 1) target.showWhole();
    // A long picture is zoomed until it fills the box.
    else target.zoomBy(Math.max(DOUBLE_TAP_SCALE, target.fillScale), here);
  }

  function move(event: PointerEvent): void {
    const from = pointers.get(event.pointerId);
    if (from === undefined) return;
    // Pressing or releasing a second mouse button sends no event of its own.
    if (event.pointerType === "mouse" && event.buttons !== 1) return up(event);
    const to = place(event);
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    pointers.set(event.pointerId, to);
    if (other === undefined) return target.panBy(to.x - from.x, to.y - from.y);
    const apart = Math.hypot(from.x - other.x, from.y - other.y);
    if (apart > 0) {
      const factor = Math.hypot(to.x - other.x, to.y - other.y) / apart;
      target.zoomBy(factor, { x: (from.x + other.x) / 2, y: (from.y + other.y) / 2 });
    }
    target.panBy((to.x - from.x) / 2, (to.y - from.y) / 2);
  }

  function up(event: PointerEvent): void {
    pointers.delete(event.pointerId);
    release(event.pointerId);
  }

  function wheel(event: WheelEvent): void {
    event.preventDefault();
    const delta = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PX : 1);
    target.zoomBy(
      Math.exp(-delta * (event.ctrlKey ? TRACKPAD_RATE : WHEEL_RATE)),
      place(event),
    );
  }

  function keyDown(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (PRESS_KEYS.includes(event.key)) {
      // A focused control uses these keys itself.
      if (onPress === null || isControl(event.target)) return;
      event.preventDefault();
      if (!event.repeat) press(event.key);
    } else if (steer(event.key)) event.preventDefault();
  }

  function steer(key: string): boolean {
    switch (key) {
      case "+":
      case "=":
        target.zoomBy(STEP, MIDDLE);
        return true;
      case "-":
        target.zoomBy(1 / STEP, MIDDLE);
        return true;
      case "0":
        target.showWhole();
        return true;
      case "ArrowLeft":
        target.panBy(STEP_PX, 0);
        return true;
      case "ArrowRight":
        target.panBy(-STEP_PX, 0);
        return true;
      case "ArrowUp":
        target.panBy(0, STEP_PX);
        return true;
      case "ArrowDown":
        target.panBy(0, -STEP_PX);
        return true;
      default:
        return false;
    }
  }

  function lose(): void {
    pointers.clear();
    if (presser !== null) release(presser);
  }

  box.style.touchAction = "none";
  box.style.userSelect = "none";
  box.style.setProperty("-webkit-user-select", "none");
  // iOS: no magnifier while a finger presses.
  box.style.setProperty("-webkit-touch-callout", "none");
  const when = { signal };
  box.addEventListener("pointerdown", down, when);
  box.addEventListener("pointermove", move, when);
  for (const kind of ["pointerup", "pointercancel", "lostpointercapture"] as const) {
    box.addEventListener(kind, up, when);
  }
  box.addEventListener("wheel", wheel, { signal, passive: false });
  box.addEventListener("contextmenu", (event) => event.preventDefault(), when);
  addEventListener("keydown", keyDown, when);
  // Registered before others, so that no other handler can delay a release.
  addEventListener("keyup", (event) => release(event.key), { signal, capture: true });
  addEventListener("blur", ({ target }) => {
    if (target === globalThis) lose();
  }, { signal, capture: true });
  document.addEventListener("visibilitychange", lose, { signal, capture: true });
}

function isControl(target: EventTarget | null): boolean {
  const control = target instanceof Element ? target.closest("button, a, input, summary") : null;
  // A button that is kept pressed works like the picture itself.
  return control !== null && !control.matches("[aria-pressed]");
}
