import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Texts } from "../lib/i18n/texts.ts";
import { fill, number, percent, sentences } from "../lib/i18n/format.ts";
import type { Edits } from "../lib/image/edits.ts";
import type { AreaView, EditorModel, Point, Tool } from "../lib/pages/editor_model.ts";
import { useTexts } from "./texts.ts";

interface Props {
  readonly model: EditorModel;
  readonly tools: readonly Tool[];
  /** `null` discards the changes. */
  readonly onClose: (edits: Edits | null) => void;
}

/** How far a key moves or resizes an area, in fractions of a side. */
const STEP = 0.02;

const ARROWS: Readonly<Record<string, Point>> = {
  ArrowLeft: { x: -STEP, y: 0 },
  ArrowRight: { x: STEP, y: 0 },
  ArrowUp: { x: 0, y: -STEP },
  ArrowDown: { x: 0, y: STEP },
};

function nameOf(t: Texts, { area, kind }: AreaView): string {
  if (area === "crop" || kind === "crop") return t.edit.crop;
  return fill(t.edit.area, { kind: t.edit.areas[kind], n: number(t, area + 1) });
}

/** Describes where an area is. */
function placeOf(t: Texts, view: AreaView): string {
  const { x, y, width, height } = view.rect;
  return fill(t.edit.place, {
    area: nameOf(t, view),
    left: percent(t, x),
    top: percent(t, y),
    width: percent(t, width),
    height: percent(t, height),
  });
}

/** Rotates, crops and redacts a picture, with fingers, a mouse or keys. */
export function Editor({ model, tools, onClose }: Props) {
  const t = useTexts();
  const dialog = useRef<HTMLDialogElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const edits = model.edits.value;
  const chosen = model.chosen.value;
  const tool = model.tool.value;
  const view = model.areas.find(({ area }) => area === chosen);

  useLayoutEffect(() => dialog.current?.showModal(), []);
  useEffect(() => () => model.close(), [model]);
  useLayoutEffect(() => {
    if (canvas.current !== null) model.draw(canvas.current);
  }, [edits, chosen]);

  function pointOf(event: PointerEvent): Point {
    const box = canvas.current?.getBoundingClientRect() ?? new DOMRect(0, 0, 1, 1);
    return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
  }

  function press(event: KeyboardEvent): void {
    const step = ARROWS[event.key];
    if (event.key === "z" && (event.ctrlKey || event.metaKey)) model.undo();
    else if (chosen === null) return;
    else if (step !== undefined) model.shift(step, { resize: event.shiftKey });
    else if (event.key === "Delete" || event.key === "Backspace") model.remove(chosen);
    else return;
    event.preventDefault();
  }

  return (
    <dialog
      class="sheet editor"
      ref={dialog}
      aria-labelledby="editor-title"
      onKeyDown={press}
      onCancel={() => onClose(null)}
    >
      <h2 id="editor-title">{t.edit.title}</h2>
      <div class="editor-stage">
        <canvas
          ref={canvas}
          role="img"
          aria-label={t.send.yourPicture}
          onPointerDown={(event) => {
            if (event.button !== 0) return;
            event.currentTarget.setPointerCapture(event.pointerId);
            model.down(pointOf(event));
          }}
          onPointerMove={(event) => model.move(pointOf(event))}
          onPointerUp={() => model.up()}
          onPointerCancel={() => model.up()}
        />
      </div>
      <div class="editor-tools" role="group" aria-label={t.edit.tools}>
        {tools.map((name) => (
          <button
            key={name}
            type="button"
            data-action={name}
            aria-pressed={tool === name}
            onClick={(event) => {
              model.tool.value = name;
              // Pressed by key: there is no pointer to draw with.
              if (event.detail === 0) model.addInMiddle();
            }}
          >
            {t.edit[name]}
          </button>
        ))}
        <button type="button" data-action="turn-left" onClick={() => model.turn(-1)}>
          {t.edit.left}
        </button>
        <button type="button" data-action="turn-right" onClick={() => model.turn(1)}>
          {t.edit.right}
        </button>
        <button
          type="button"
          data-action="undo"
          disabled={!model.undoable}
          onClick={() => model.undo()}
        >
          {t.edit.undo}
        </button>
      </div>
      {model.areas.length > 0 && (
        <ul class="editor-areas">
          {model.areas.map((item) => (
            <li key={item.area}>
              <button
                type="button"
                data-action="area"
                aria-pressed={chosen === item.area}
                aria-describedby="editor-hint"
                onFocus={() => model.choose(item.area)}
                // Safari does not focus a button that is clicked.
                onClick={(event) => event.currentTarget.focus()}
              >
                {nameOf(t, item)}
              </button>
              {chosen === item.area && (
                <button
                  type="button"
                  data-action="remove-area"
                  onClick={() => model.remove(item.area)}
                >
                  {t.edit.remove}
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
      <p id="editor-hint" class="small">{sentences(t, [t.edit.hint, t.edit.safe])}</p>
      <p class="visually-hidden" role="status">{view === undefined ? "" : placeOf(t, view)}</p>
      <div class="actions">
        <button
          type="button"
          class="primary"
          data-action="edit-done"
          onClick={() => onClose(edits)}
        >
          {t.edit.done}
        </button>
        <button type="button" data-action="edit-cancel" onClick={() => onClose(null)}>
          {t.edit.cancel}
        </button>
      </div>
    </dialog>
  );
}
