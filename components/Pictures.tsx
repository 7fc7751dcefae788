import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Texts } from "../lib/i18n/texts.ts";
import { fileSize, fill, list, number, plain, seconds } from "../lib/i18n/format.ts";
import type { Edits } from "../lib/image/edits.ts";
import type { Prepared } from "../lib/image/prepared.ts";
import type { Details, OutgoingPicture } from "../lib/pictures/outgoing_list.ts";
import type { Editing } from "../lib/pages/sender_model.ts";
import { sayOptions } from "./DisplayOptions.tsx";
import { Icon } from "./Icon.tsx";
import { Question } from "./Question.tsx";
import { Thumbnail } from "./Thumbnail.tsx";
import { isGone, outcome } from "./outcome.ts";
import { useTexts } from "./texts.ts";
import { useLazy } from "./use_lazy.ts";

/** What can be done with a picture that is not being sent yet. */
export interface PictureActions {
  change(id: number, details: Partial<Details>): void;
  move(id: number, by: number): void;
  remove(id: number): void;
  /** Holds it back while its details are being edited, or releases it; false if it is too late. */
  setEditing(id: number, on: boolean): boolean;
  /** Starts editing it; `null` if it can't be edited. */
  beginEdit(id: number): Promise<Editing | null>;
  /** `null` leaves the picture as it was. */
  endEdit(id: number, edits: Edits | null): Promise<void>;
}

interface Props {
  readonly pictures: readonly OutgoingPicture[];
  /** Viewing times to choose from, in seconds. */
  readonly choices: readonly number[];
  /** `null` once nothing can be changed any more. */
  readonly actions: PictureActions | null;
}

/** The pictures of this side, shown as prints on a table. */
export function Pictures({ pictures, choices, actions }: Props) {
  const t = useTexts();
  const open = useSignal<number | null>(null);
  const removing = useSignal<number | null>(null);
  const chosen = pictures.find(({ id }) => id === open.value) ?? null;
  const editable = chosen?.state.at === "queued" && actions !== null;
  const sheet = useLazy(() => import("./PictureSettings.tsx"), editable, closeSettings);
  const editing = useSignal<Editing | null>(null);
  const editor = useLazy(
    () => import("./Editor.tsx"),
    editing.value !== null,
    () => endEdit(null),
  );
  useEffect(() => {
    // The picture can't be changed any more: close its settings instead of showing another
    // picture's.
    if (!editable) open.value = null;
  }, [editable]);

  function openSettings(id: number): void {
    if (actions?.setEditing(id, true) === true) open.value = id;
  }

  function closeSettings(): void {
    const id = open.value;
    open.value = null;
    if (id !== null) actions?.setEditing(id, false);
  }

  function remove(id: number): void {
    // Asks before the last picture is removed: a link that somebody may already have would lead to
    // nothing.
    if (pictures.length === 1) removing.value = id;
    else actions?.remove(id);
  }

  async function edit(id: number): Promise<void> {
    editing.value = await actions?.beginEdit(id) ?? null;
  }

  function endEdit(edits: Edits | null): void {
    const id = editing.value?.id;
    editing.value = null;
    if (id !== undefined) void actions?.endEdit(id, edits);
  }

  return (
    <>
      <ul class="pictures">
        {pictures.map((picture) => (
          <Print
            key={picture.id}
            picture={picture}
            pictures={pictures}
            actions={actions}
            open={picture.id === open.value || picture.id === editing.value?.id}
            onSettings={() => openSettings(picture.id)}
            onEdit={() => edit(picture.id)}
            onRemove={() => remove(picture.id)}
          />
        ))}
      </ul>
      {editor !== null && editing.value !== null && (
        <editor.Editor
          model={editing.value.model}
          tools={editing.value.tools}
          onClose={endEdit}
        />
      )}
      {sheet !== null && chosen !== null && actions !== null && (
        <sheet.PictureSettings
          picture={chosen}
          choices={choices}
          onChange={(details) => actions.change(chosen.id, details)}
          onClose={closeSettings}
        />
      )}
      {removing.value !== null && (
        <Question
          {...t.send.removeOnly}
          onAnswer={(yes) => {
            const id = removing.value;
            removing.value = null;
            if (yes && id !== null) actions?.remove(id);
          }}
        />
      )}
    </>
  );
}

/** Says which picture it is, if there are several. */
function labelOf(t: Texts, n: number, total: number): string {
  return total === 1
    ? t.send.yourPicture
    : fill(t.send.pictureOf, { n: number(t, n + 1), total: number(t, total) });
}

/** Describes how a picture may be viewed. */
function rulesOf(t: Texts, { rules }: OutgoingPicture): string {
  const time = rules.seconds === 0
    ? t.send.captionOpen
    : fill(t.send.caption, { duration: seconds(t, rules.seconds) });
  return sayOptions(t, rules, "caption")
    .reduce((said, option) => fill(t.joined.rules, { rules: said, option }), time);
}

const MEGA = 1_000_000;

/** What was removed from the file, and how much it was scaled down. */
function Cleaned({ prepared }: { prepared: Prepared }) {
  const t = useTexts();
  const { removed, reducedFrom, repainted, motion, width, height, encoded, size } = prepared;
  const things = list(t, removed.map((kind) => t.clean.kinds[kind]));
  const mega = (pixels: number) => number(t, Math.round(pixels / MEGA));
  return (
    <>
      {removed.length > 0 && (
        <p class="small" data-field="removed">{fill(t.clean.removed, { things })}</p>
      )}
      {reducedFrom !== undefined && (
        <p class="small" data-field="reduced">
          {fill(t.clean.reduced, { from: mega(reducedFrom), to: mega(width * height) })}
        </p>
      )}
      {repainted !== undefined && (
        <p class="small" data-field="repainted">{t.clean.repainted[repainted]}</p>
      )}
      {/* How well a browser compresses differs, by a lot. */}
      {encoded && <p class="small" data-field="size">{fileSize(t, size)}</p>}
      {motion === "lost" && <p class="small" data-field="stilled">{t.clean.stilled}</p>}
    </>
  );
}

function Print(
  { picture, pictures, actions, open, onSettings, onEdit, onRemove }: {
    picture: OutgoingPicture;
    pictures: readonly OutgoingPicture[];
    actions: PictureActions | null;
    /** Whether its settings or its editor are open. */
    open: boolean;
    onSettings: () => void;
    onEdit: () => void;
    onRemove: () => void;
  },
) {
  const t = useTexts();
  const { id, n, prepared, coming, state, caption } = picture;
  const total = pictures.length;
  const label = labelOf(t, n, total);
  const gone = isGone(picture);
  const movable = (by: number) => pictures[n + by]?.state.at === "queued";
  return (
    <li class={`picture ${state.at}`}>
      {gone || (prepared === null && coming === null)
        ? <div class="gone" role="img" aria-label={label} />
        : (
          <div class="place">
            {prepared !== null
              ? <Thumbnail prepared={prepared} label={label} />
              : <p class="coming" role="status" data-field="preparing">{t.send.preparingPicture}
              </p>}
          </div>
        )}
      {state.at === "sending" && (
        <progress max={prepared?.size} value={state.sent} aria-label={label} />
      )}
      {caption !== "" && !gone && <p class="caption" dir="auto">{plain(caption)}</p>}
      {(!gone || total > 1) && (
        <p class="small">
          {gone || (total > 1 && state.at !== "queued") ? outcome(t, picture) : rulesOf(t, picture)}
        </p>
      )}
      {picture.editing && !open && <p class="small" role="status">{t.edit.working}</p>}
      {state.at === "queued" && (open || !picture.editing) && actions !== null && (
        <div class="tools" role="group" aria-label={label}>
          <Icon action="settings" label={t.settings.open} shape="settings" onPress={onSettings} />
          {prepared !== null && (
            <Icon action="edit" label={t.edit.open} shape="edit" onPress={onEdit} />
          )}
          {movable(-1) && (
            <Icon
              action="earlier"
              label={t.settings.earlier}
              shape="earlier"
              onPress={() => actions.move(id, -1)}
            />
          )}
          {movable(1) && (
            <Icon
              action="later"
              label={t.settings.later}
              shape="later"
              onPress={() => actions.move(id, 1)}
            />
          )}
          <Icon
            action="remove"
            label={t.settings.remove}
            shape="remove"
            onPress={onRemove}
          />
        </div>
      )}
      {!gone && <div class="notes">{prepared !== null && <Cleaned prepared={prepared} />}</div>}
    </li>
  );
}
