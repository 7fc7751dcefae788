import { useLayoutEffect, useRef } from "preact/hooks";
import { en } from "../lib/i18n/en.ts";
import type { Inbox, IncomingPicture } from "../lib/session/inbox.ts";
import { Ring } from "./Ring.tsx";

interface Props {
  readonly inbox: Inbox;
  /** Takes one's own pictures back; `null` while there are none to take back. */
  readonly onBurn: (() => void) | null;
}

/** A picture of the other side that is on its way, locked or on screen; nothing once it is finished. */
export function Incoming({ inbox, onBurn }: Props) {
  const picture = inbox.picture.value;
  switch (picture?.state.at) {
    case "receiving":
      return <Receiving picture={picture} received={picture.state.received} />;
    case "delivered":
      return <Locked picture={picture} inbox={inbox} />;
    case "opening":
    case "viewing":
      return <Open key={picture.meta.n} picture={picture} inbox={inbox} onBurn={onBurn} />;
    default:
      return null;
  }
}

/** The back of a photograph. */
function Print() {
  return (
    <div class="print" role="img" aria-label={en.view.locked}>
      <svg class="lock" viewBox="0 0 24 24" aria-hidden="true">
        <rect x="5" y="11" width="14" height="9" rx="2" />
        <path d="M8 11V8a4 4 0 0 1 8 0v3" />
      </svg>
    </div>
  );
}

function Receiving({ picture, received }: { picture: IncomingPicture; received: number }) {
  const percent = Math.floor(received / picture.meta.size * 100);
  return (
    <section class="card">
      <Print />
      <h1>{en.view.receivingTitle}</h1>
      <progress max={100} value={percent} aria-label={en.view.receivingTitle} />
      <p>{en.view.receiving(percent)}</p>
    </section>
  );
}

function Locked({ picture, inbox }: { picture: IncomingPicture; inbox: Inbox }) {
  const { seconds } = picture.meta.view;
  return (
    <section class="card">
      <Print />
      <h1>{en.view.deliveredTitle}</h1>
      <p>{en.view.delivered(seconds)} {en.view.privacy}</p>
      <button type="button" class="primary" data-action="open" onClick={() => inbox.open()}>
        {en.view.open(seconds)}
      </button>
    </section>
  );
}

function Open({ picture, inbox, onBurn }: Props & { picture: IncomingPicture }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    // A modal dialog keeps focus and screen readers inside, and lets Escape close it.
    dialog.current?.showModal();
    inbox.setCanvas(canvas.current);
    return () => inbox.setCanvas(null);
  }, [inbox]);
  const state = picture.viewing?.value;
  const painted = picture.state.at === "viewing";
  const left = state?.seconds ?? null;
  return (
    <dialog
      class="viewer"
      ref={dialog}
      data-viewer
      aria-label={en.view.canvas}
      onClose={() => inbox.close("user")}
    >
      <div class="stage">
        <canvas ref={canvas} role="img" aria-label={picture.meta.alt ?? en.view.canvas} />
      </div>
      {!painted && <p class="veil" role="status">{en.view.opening}</p>}
      {painted && state?.covered === true && <p class="veil" role="status">{en.view.covered}</p>}
      <div class="viewer-bar">
        {painted
          ? (
            <span class="countdown" data-field="countdown">
              <Ring fraction={state?.fraction ?? 1} label={left === null ? "∞" : String(left)} />
              <span class="visually-hidden">
                {left === null ? en.view.until : en.view.countdown(left)}
              </span>
            </span>
          )
          : <span />}
        <span class="viewer-actions">
          {onBurn !== null && (
            <button type="button" class="danger" data-action="burn" onClick={onBurn}>
              {en.view.burnOwn}
            </button>
          )}
          <button type="button" data-action="close" onClick={() => inbox.close("user")}>
            {en.view.close}
          </button>
        </span>
      </div>
    </dialog>
  );
}
