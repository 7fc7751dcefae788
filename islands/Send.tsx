import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { asset } from "fresh/runtime";
import { Incoming } from "../components/Incoming.tsx";
import { Notice } from "../components/Notice.tsx";
import { PictureInput } from "../components/PictureInput.tsx";
import { Seconds } from "../components/Seconds.tsx";
import { ShareLink } from "../components/ShareLink.tsx";
import { Status } from "../components/Status.tsx";
import { Thumbnail } from "../components/Thumbnail.tsx";
import { outcome, Timeline } from "../components/Timeline.tsx";
import { en } from "../lib/i18n/en.ts";
import { isFinished } from "../lib/session/outgoing.ts";
import type { OutgoingPicture } from "../lib/session/outbox.ts";
import type { SenderPhase } from "../lib/session/phases.ts";
import { DEFAULT_SECONDS, VIEW_SECONDS } from "../lib/session/picker.ts";
import { SenderModel } from "../lib/session/sender_model.ts";
import type { Session } from "../lib/session/session.ts";
import { useModel } from "../lib/session/use_model.ts";

/** The sender's page. */
export default function Send() {
  const model = useModel(() => new SenderModel(asset("/workers/decode_worker.js"))).value;
  const input = useRef<HTMLInputElement>(null);
  const phase = model?.phase.value ?? "idle";
  const session = model?.session.value ?? null;
  const dragging = useFiles((files) => model?.choose(files));
  const pick = () => input.current?.click();
  return (
    <main
      id="content"
      class={dragging ? "dragging" : ""}
      data-phase={phase}
      data-reason={model?.reason.value ?? undefined}
    >
      <PictureInput
        input={input}
        label={en.send.choose}
        disabled={model === null || model.obstacle !== null}
        onChoose={(files) => model?.choose(files)}
      />
      {session === null || model === null
        ? <Compose model={model} phase={phase} pick={pick} />
        : <Live model={model} session={session} phase={phase} pick={pick} />}
      {dragging && <p class="drop-veil" aria-hidden="true">{en.send.drop}</p>}
    </main>
  );
}

interface Parts {
  readonly phase: SenderPhase;
  readonly pick: () => void;
}

function Compose({ model, phase, pick }: Parts & { model: SenderModel | null }) {
  if (model !== null && model.obstacle !== null) {
    const [title, text] = en.failed[model.obstacle];
    return (
      <section class="card">
        <h1>{title}</h1>
        <p>{text}</p>
      </section>
    );
  }
  const preparing = phase === "preparing";
  return (
    <>
      <h1>{en.send.title}</h1>
      <p class="lead">{en.send.intro}</p>
      <div class="drop-zone">
        <button
          type="button"
          class="primary large"
          data-action="choose"
          disabled={model === null || preparing}
          onClick={pick}
        >
          {preparing ? en.send.preparing : en.send.choose}
        </button>
        <p>{en.send.dropHint}</p>
        <p class="small">{en.send.formats}</p>
      </div>
      <Problem model={model} />
      <Seconds
        choices={VIEW_SECONDS}
        value={model?.picker.seconds.value ?? DEFAULT_SECONDS}
        onChange={(seconds) => model?.setSeconds(seconds)}
      />
      <Keep model={model} />
    </>
  );
}

/** What is wrong with the file that was chosen last. */
function Problem({ model }: { model: SenderModel | null }) {
  const problem = model?.picker.problem.value ?? null;
  if (problem === null) return null;
  return <Notice>{en.pictureNamed(problem.name, en.picture[problem.reason])}</Notice>;
}

function Keep({ model }: { model: SenderModel | null }) {
  return (
    <label class="check">
      <input
        type="checkbox"
        name="keep"
        checked={model?.keep.value ?? false}
        onChange={(event) => model?.setKeep(event.currentTarget.checked)}
      />
      <span>
        {en.send.keep}
        <small>{en.send.keepHint}</small>
      </span>
    </label>
  );
}

function Live({ model, session, phase, pick }: Parts & { model: SenderModel; session: Session }) {
  const life = session.life.value;
  const pictures = session.outbox.pictures.value;
  const inbox = session.inbox.value;
  const over = life.at === "ended" || life.at === "failed";
  const waiting = life.at === "waiting" || life.at === "starting";
  const queued = pictures.some(({ state }) => state.at === "queued");
  const link = model.link.value;
  return (
    <>
      {over ? <Over model={model} session={session} /> : (
        <Status busy={phase !== "closed"}>
          {session.contact.value || life.at === "live"
            ? <StatusText phase={phase} pictures={pictures} />
            : en.status.noServer}
        </Status>
      )}
      <Problem model={model} />
      <Pictures pictures={pictures} />
      {waiting && link !== null && <ShareLink link={link} />}
      {inbox !== null && <Incoming inbox={inbox} />}
      {!over && (
        <div class="actions">
          <button
            type="button"
            class="danger"
            data-action="burn"
            onClick={() => session.burn()}
          >
            {en.send.burn}
          </button>
          <button type="button" data-action="leave" onClick={() => session.leave()}>
            {en.send.leave}
          </button>
        </div>
      )}
      {!over && (
        <details class="more" open={session.keep.value}>
          <summary>{en.send.options}</summary>
          {(queued || session.keep.value) && (
            <Seconds
              choices={VIEW_SECONDS}
              value={model.picker.seconds.value}
              onChange={(seconds) => model.setSeconds(seconds)}
            />
          )}
          <Keep model={model} />
          <button
            type="button"
            data-action="choose"
            disabled={model.picker.preparing.value}
            onClick={pick}
          >
            {model.picker.preparing.value ? en.send.preparing : en.send.addAnother}
          </button>
        </details>
      )}
      <Timeline entries={session.timeline.value} numbered={pictures.length > 1} />
    </>
  );
}

function StatusText(
  { phase, pictures }: { phase: SenderPhase; pictures: readonly OutgoingPicture[] },
) {
  switch (phase) {
    case "preparing":
      return <>{en.status.starting}</>;
    case "sending": {
      const current = pictures.find(({ state }) => state.at === "sending");
      if (current?.state.at !== "sending") return null;
      return <>{en.status.sending(Math.floor(current.state.sent / current.prepared.size * 100))}</>;
    }
    case "closed": {
      const last = pictures.findLast(({ state }) => isFinished(state));
      return last === undefined ? null : <>{outcome(last)}</>;
    }
    case "waiting":
    case "connecting":
    case "connected":
    case "delivered":
    case "opened":
    case "shown":
      return <>{en.status[phase]}</>;
    default:
      return null;
  }
}

function Pictures({ pictures }: { pictures: readonly OutgoingPicture[] }) {
  const total = pictures.length;
  return (
    <ul class="pictures">
      {pictures.map((picture) => {
        const { n, prepared, state } = picture;
        const label = total === 1 ? en.send.yourPicture : en.send.pictureOf(n + 1, total);
        const gone = isFinished(state) && state.at !== "unseen";
        return (
          <li key={n} class={`picture ${state.at}`}>
            {gone
              ? <div class="gone" role="img" aria-label={label} />
              : <Thumbnail bitmap={prepared.thumbnail} label={label} />}
            {state.at === "sending" && (
              <progress max={prepared.size} value={state.sent} aria-label={label} />
            )}
            <p class="small">
              {gone || (total > 1 && state.at !== "queued")
                ? outcome(picture)
                : en.send.caption(picture.rules.seconds)}
            </p>
          </li>
        );
      })}
    </ul>
  );
}

function Over({ model, session }: { model: SenderModel; session: Session }) {
  const life = session.life.value;
  if (life.at !== "ended" && life.at !== "failed") return null;
  const [title, text] = life.at === "ended" ? en.ended.sender[life.reason] : en.failed[life.reason];
  const unseen = model.unseen.length > 0;
  return (
    <section class="result">
      <h1>{title}</h1>
      <p>{text}</p>
      <div class="actions">
        {unseen && (
          <button
            type="button"
            class="primary"
            data-action="retry"
            onClick={() => model.again()}
          >
            {life.at === "failed" ? en.send.retry : en.send.newLink}
          </button>
        )}
        <button
          type="button"
          class={unseen ? "" : "primary"}
          data-action="reset"
          onClick={() => model.reset()}
        >
          {en.send.another}
        </button>
      </div>
    </section>
  );
}

/** Pictures that are dropped anywhere on the page or pasted. Returns true while something is dragged over it. */
function useFiles(choose: (files: File[]) => void): boolean {
  const dragging = useSignal(false);
  const latest = useRef(choose);
  latest.current = choose;
  useEffect(() => {
    const listening = new AbortController();
    const { signal } = listening;
    const take = (event: Event, data: DataTransfer | null) => {
      const files = [...data?.files ?? []];
      if (files.length === 0) return;
      event.preventDefault();
      latest.current(files);
    };
    document.addEventListener("paste", (event) => take(event, event.clipboardData), { signal });
    document.addEventListener("dragover", (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      dragging.value = true;
    }, { signal });
    document.addEventListener("dragleave", (event) => {
      // Only when the pointer leaves the page itself.
      if (event.relatedTarget === null) dragging.value = false;
    }, { signal });
    document.addEventListener("drop", (event) => {
      dragging.value = false;
      take(event, event.dataTransfer);
    }, { signal });
    return () => listening.abort();
  }, []);
  return dragging.value;
}
