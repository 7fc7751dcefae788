/**
 * What a picture's editor shows and can do: signals out, functions in. Nothing is stored, and
 * nothing leaves the page.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import {
  clampRect,
  COVER_KINDS,
  type CoverKind,
  type Edits,
  paintEdits,
  type Rect,
  rectBetween,
  turned,
  turnRect,
  unturnRect,
} from "../image/edits.ts";

/** The drawing tool. */
export type Tool = "crop" | CoverKind;

/** All of them. */
export const TOOLS: readonly Tool[] = ["crop", ...COVER_KINDS];

/** An area of the picture: its crop, or a cover by its place in the list. */
export type Area = "crop" | number;

/** A place in the picture as it is seen, in fractions of its sides. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** An area as it is seen. */
export interface AreaView {
  readonly area: Area;
  readonly kind: Tool;
  readonly rect: Rect;
}

/**
 * Within this distance of its bottom right corner, dragging resizes an area instead of moving it;
 * in fractions of a side.
 */
const CORNER = 0.06;

/** Where a new area is placed without a pointer. */
const MIDDLE: Rect = { x: 0.35, y: 0.35, width: 0.3, height: 0.3 };

/** Colors of the outlines drawn over the picture. */
const SHADE = "rgb(12 11 10 / 62%)";
const DARK = "#0c0b0a";
const LIGHT = "#ffffff";
const CHOSEN = "#ff8157";

/** Edits of one picture, with undo. */
export class EditorModel {
  readonly #bitmap: ImageBitmap;
  readonly #history;
  readonly #edits: ReadonlySignal<Edits>;
  readonly #chosen = signal<Area | null>(null);
  /** The kind of the next area. */
  readonly tool = signal<Tool>("black");
  #drag: {
    readonly from: Point;
    readonly area: Area;
    readonly seen: Rect;
    readonly corner: boolean;
  } | null = null;

  /** `bitmap` is the whole picture, upright; {@linkcode EditorModel.close} closes it. */
  constructor(bitmap: ImageBitmap, initial: Edits) {
    this.#bitmap = bitmap;
    this.#history = signal<readonly Edits[]>([initial]);
    this.#edits = computed(() => this.#history.value.at(-1) ?? initial);
  }

  get edits(): ReadonlySignal<Edits> {
    return this.#edits;
  }

  /** The area that keys move and remove. */
  get chosen(): ReadonlySignal<Area | null> {
    return this.#chosen;
  }

  /** True if there is a change to undo. */
  get undoable(): boolean {
    return this.#history.value.length > 1;
  }

  /** All areas, as they are seen. */
  get areas(): readonly AreaView[] {
    const { crop, covers, turns } = this.#edits.value;
    const seen = (rect: Rect) => turnRect(rect, turns);
    return [
      ...(crop === null ? [] : [{ area: "crop", kind: "crop", rect: seen(crop) } as const]),
      ...covers.map(({ kind, rect }, area) => ({ area, kind, rect: seen(rect) })),
    ];
  }

  /** Frees the picture. */
  close(): void {
    this.#bitmap.close();
  }

  choose(area: Area | null): void {
    this.#chosen.value = area;
  }

  /** Rotates by `by` steps of 90° clockwise. */
  turn(by: number): void {
    this.#change(turned(this.#edits.peek(), by));
  }

  undo(): void {
    if (this.undoable) this.#history.value = this.#history.peek().slice(0, -1);
    this.choose(null);
  }

  /** Adds an area in the middle, for use without a pointer. */
  addInMiddle(): void {
    this.#add(MIDDLE);
  }

  remove(area: Area): void {
    const edits = this.#edits.peek();
    this.#change(
      area === "crop"
        ? { ...edits, crop: null }
        : { ...edits, covers: edits.covers.filter((_, i) => i !== area) },
    );
    this.choose(null);
  }

  /** Moves or resizes the chosen area, by fractions of the visible sides. */
  shift({ x, y }: Point, { resize }: { readonly resize: boolean }): void {
    const area = this.#chosen.peek();
    const seen = this.areas.find((view) => view.area === area)?.rect;
    if (area === null || seen === undefined) return;
    this.#change(this.#placed(
      area,
      resize
        ? { ...seen, width: seen.width + x, height: seen.height + y }
        : { ...seen, x: seen.x + x, y: seen.y + y },
    ));
  }

  /**
   * Pointer down: inside an area, dragging moves that area; at its bottom right corner, dragging
   * resizes it; elsewhere, dragging draws a new area.
   */
  down(from: Point): void {
    const hit = this.#cornerAt(from) ?? this.#areaAt(from);
    if (hit === null) {
      const seen = { ...from, width: 0, height: 0 };
      this.#drag = { from, area: this.#add(seen), seen, corner: true };
      return;
    }
    const { area, rect: seen } = hit;
    this.choose(area);
    // The whole drag is one step of undo.
    this.#change(this.#edits.peek());
    this.#drag = { from, area, seen, corner: isCorner(hit, from) };
  }

  move(to: Point): void {
    if (this.#drag === null) return;
    const { from, area, seen, corner } = this.#drag;
    const [x, y] = [to.x - from.x, to.y - from.y];
    const end = { x: seen.x + seen.width + x, y: seen.y + seen.height + y };
    const moved = corner ? rectBetween(seen, end) : { ...seen, x: seen.x + x, y: seen.y + y };
    this.#history.value = this.#history.peek().with(-1, this.#placed(area, moved));
  }

  up(): void {
    this.#drag = null;
  }

  /** Paints the picture as it will be sent; what is cropped away stays visible, dimmed. */
  draw(canvas: HTMLCanvasElement): void {
    const edits = this.#edits.peek();
    const painted = paintEdits(this.#bitmap, { ...edits, crop: null });
    const { width, height } = painted;
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d");
    if (context === null) return;
    context.drawImage(painted, 0, 0);
    const line = Math.max(2, Math.max(width, height) / 400);
    for (const { area, kind, rect } of this.areas) {
      const box = [
        rect.x * width,
        rect.y * height,
        rect.width * width,
        rect.height * height,
      ] as const;
      if (kind === "crop") {
        const outside = new Path2D();
        outside.rect(0, 0, width, height);
        outside.rect(...box);
        context.fillStyle = SHADE;
        context.fill(outside, "evenodd");
      }
      const chosen = area === this.#chosen.peek();
      context.lineWidth = line;
      // Dark and light, so that the outline is visible on any picture.
      context.setLineDash([]);
      context.strokeStyle = DARK;
      context.strokeRect(...box);
      context.setLineDash([4 * line]);
      context.strokeStyle = chosen ? CHOSEN : LIGHT;
      context.strokeRect(...box);
      if (!chosen) continue;
      context.fillStyle = CHOSEN;
      context.beginPath();
      context.arc(box[0] + box[2], box[1] + box[3], 5 * line, 0, 2 * Math.PI);
      context.fill();
    }
  }

  #change(next: Edits): void {
    this.#history.value = [...this.#history.peek(), next];
  }

  /** Adds an area, given as it is seen; there is at most one crop. */
  #add(seen: Rect): Area {
    const edits = this.#edits.peek();
    const kind = this.tool.peek();
    const rect = clampRect(unturnRect(seen, edits.turns));
    const area = kind === "crop" ? "crop" : edits.covers.length;
    this.#change(
      kind === "crop"
        ? { ...edits, crop: rect }
        : { ...edits, covers: [...edits.covers, { kind, rect }] },
    );
    this.choose(area);
    return area;
  }

  #placed(area: Area, seen: Rect): Edits {
    const edits = this.#edits.peek();
    const rect = clampRect(unturnRect(seen, edits.turns));
    if (area === "crop") return { ...edits, crop: rect };
    const covers = edits.covers.map((cover, i) => i === area ? { ...cover, rect } : cover);
    return { ...edits, covers };
  }

  /**
   * The chosen area if `point` is near its bottom right corner: a finger need not hit it exactly.
   */
  #cornerAt(point: Point): AreaView | null {
    const chosen = this.areas.find(({ area }) => area === this.#chosen.peek());
    return chosen !== undefined && isCorner(chosen, point) ? chosen : null;
  }

  #areaAt({ x, y }: Point): AreaView | null {
    // The crop surrounds everything, so it is only picked up while the crop tool is active.
    const found = this.areas.findLast(({ kind, rect }) =>
      (kind !== "crop" || this.tool.peek() === "crop") &&
      x >= rect.x && x <= rect.x + rect.width && y >= rect.y && y <= rect.y + rect.height
    );
    return found ?? null;
  }
}

function isCorner({ rect }: AreaView, { x, y }: Point): boolean {
  return Math.abs(x - rect.x - rect.width) < CORNER && Math.abs(y - rect.y - rect.height) < CORNER;
}
