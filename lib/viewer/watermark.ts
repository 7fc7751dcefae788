/**
 * The text that is painted into every frame.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { MAX_MARK_LENGTH } from "../protocol/limits.ts";
import { intlLocale } from "../i18n/format.ts";

const ANGLE = -24 * Math.PI / 180;

/** Letters are this part of the canvas's shorter side, between two sizes in CSS pixels. */
const FONT_SHARE = 1 / 16;
const MIN_FONT_PX = 9;
const MAX_FONT_PX = 36;

/** Longest line of a mark in UTF-16 units, unless a word is longer. */
const LINE = 22;

/** Distances in multiples of the letters' size: between lines, and between marks. */
const LINE_HEIGHT = 1.3;
const GAP = 3;

/**
 * How opaque the letters and their rim are. Where the eye looks, in the middle third of the canvas,
 * they are faint. Towards the edges they are at full strength, because whoever crops a copy has to
 * leave at least one edge.
 */
const OPACITY = {
  letter: { middle: 0.22, edge: 0.62 },
  rim: { middle: 0.1, edge: 0.34 },
};

/**
 * Returns one line of at most {@linkcode MAX_MARK_LENGTH} UTF-16 units: control, bidi and other
 * invisible characters become spaces, and runs of spaces become one.
 */
export function cleanMark(text: string): string {
  // Cc and Cf contain bidi overrides, joiners and tags; Zl and Zp line breaks; Co and Cn characters
  // that no font can paint.
  const visible = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Cs}]+/gu, " ")
    .replace(/(\p{M}{4})\p{M}+/gu, "$1").replace(/\s+/g, " ").trim();
  return visible.slice(0, MAX_MARK_LENGTH).replace(/\p{Cs}/gu, "").trim();
}

/** How many of the session's words a mark has. */
const WORDS = 3;

/**
 * The mark of pictures whose sender wrote none: date and time as the page's language writes them,
 * and words of this session. On a photo of the screen they show when and with whom it was.
 */
export function markOf(
  words: readonly string[],
  { time, language }: { readonly time: Date; readonly language: string | undefined },
): string {
  const format = { dateStyle: "short", timeStyle: "short" } as const;
  const locale = language === undefined ? undefined : intlLocale({ language });
  const when = new Intl.DateTimeFormat(locale, format).format(time)
    // Arabic dates have marks of direction in them, of which spaces would be left.
    .replace(/\p{Cf}/gu, "");
  return `${when} · ${words.slice(0, WORDS).join(" ")}`;
}

/** True when the first letter of a text belongs to a script that is written from right to left. */
export function isRightToLeft(text: string): boolean {
  return /^\P{L}*[\p{sc=Hebrew}\p{sc=Arabic}\p{sc=Syriac}\p{sc=Thaana}\p{sc=Nko}]/u
    .test(text);
}

/**
 * Breaks a text into lines of at most {@linkcode LINE} UTF-16 units, and always at `·`. A compact
 * block fits into a crop where one long line does not.
 */
export function breakLines(text: string): string[] {
  const lines: string[] = [];
  for (const part of text.split(" · ")) {
    let line = "";
    for (const word of part.split(" ").filter((word) => word !== "")) {
      if (line === "") line = word;
      else if (line.length + 1 + word.length <= LINE) line += ` ${word}`;
      else {
        lines.push(line);
        line = word;
      }
    }
    if (line !== "") lines.push(line);
  }
  return lines;
}

/** The middle of a mark, measured from the canvas's middle along the rotated axes. */
export interface Mark {
  readonly x: number;
  readonly y: number;
}

/** The area that {@linkcode layMarks} covers, and the size of a mark with its gap, in pixels. */
export interface MarkArea {
  readonly width: number;
  readonly height: number;
  readonly step: number;
  readonly row: number;
}

/**
 * Lays out rows of marks that cover a canvas at any angle; every other row is shifted by half.
 * `phase` 1 = moved by one mark.
 */
export function layMarks({ width, height, step, row }: MarkArea, phase: number): Mark[] {
  const radius = Math.hypot(width, height) / 2;
  const rows = Math.ceil(radius / row);
  const marks: Mark[] = [];
  for (let i = -rows; i <= rows; i++) {
    const shift = phase + i / 2;
    const first = -radius - step + (shift - Math.floor(shift)) * step;
    for (let x = first; x < radius + step; x += step) marks.push({ x, y: i * row });
  }
  return marks;
}

/** Options of {@linkcode Watermark.paint}. */
export interface WatermarkOptions {
  /** Device pixels per CSS pixel. */
  readonly pixelRatio: number;
  /** Any number; 1 moves the text by its own length plus the gap. */
  readonly phase: number;
}

/** Paints one text, tiled and rotated, over a canvas. */
export class Watermark {
  readonly #lines: readonly string[];
  readonly #direction: CanvasDirection;

  /** `text` is cleaned first; if nothing is left of it, nothing is painted. */
  constructor(text: string) {
    const clean = cleanMark(text);
    this.#lines = breakLines(clean);
    // Not the page's direction: the text is in the sender's language.
    this.#direction = isRightToLeft(clean) ? "rtl" : "ltr";
  }

  /** Paints over the whole canvas: a dozen large marks, thin and with a rim. */
  paint(context: CanvasRenderingContext2D, { pixelRatio, phase }: WatermarkOptions): void {
    if (this.#lines.length === 0) return;
    const { width, height } = context.canvas;
    const share = Math.min(width, height) / pixelRatio * FONT_SHARE;
    const fontSize = pixelRatio * Math.min(MAX_FONT_PX, Math.max(MIN_FONT_PX, share));
    context.save();
    context.translate(width / 2, height / 2);
    context.rotate(ANGLE);
    context.font = `300 ${fontSize}px system-ui, sans-serif`;
    context.textBaseline = "middle";
    context.textAlign = "center";
    context.direction = this.#direction;
    context.lineJoin = "round";
    context.lineWidth = fontSize / 10;
    // A light letter with a dark rim stands out from any background.
    const radius = Math.hypot(width, height) / 2;
    context.strokeStyle = fading(context, radius, "0 0 0", OPACITY.rim);
    context.fillStyle = fading(context, radius, "255 255 255", OPACITY.letter);
    const longest = Math.max(...this.#lines.map((line) => context.measureText(line).width));
    const step = longest + GAP * fontSize;
    const row = (this.#lines.length * LINE_HEIGHT + GAP) * fontSize;
    for (const { x, y } of layMarks({ width, height, step, row }, phase)) {
      for (const [i, line] of this.#lines.entries()) {
        const down = y + (i - (this.#lines.length - 1) / 2) * LINE_HEIGHT * fontSize;
        context.strokeText(line, x, down);
        context.fillText(line, x, down);
      }
    }
    context.restore();
  }
}

/** A color that is faint in the canvas's middle third, and gets stronger towards its edges. */
function fading(
  context: CanvasRenderingContext2D,
  radius: number,
  rgb: string,
  { middle, edge }: { readonly middle: number; readonly edge: number },
): CanvasGradient {
  const color = context.createRadialGradient(0, 0, radius / 3, 0, 0, radius * 2 / 3);
  color.addColorStop(0, `rgb(${rgb} / ${middle})`);
  color.addColorStop(1, `rgb(${rgb} / ${edge})`);
  return color;
}
