import { useLayoutEffect, useRef } from "preact/hooks";
import type { Inbox, IncomingPicture } from "../lib/pictures/inbox.ts";
import { lookMs } from "../lib/protocol/deadlines.ts";
import type { PictureScreen } from "../lib/viewer/picture_screen.ts";
import type { ViewingState } from "../lib/viewer/viewing.ts";
import { sayOptions } from "./DisplayOptions.tsx";
import { Ring } from "./Ring.tsx";
import { useTexts } from "./texts.ts";
import type { Texts } from "../lib/i18n/texts.ts";
import {
  fill,
  foreign,
  number,
  percent,
  plain,
  plural,
  seconds as inWords,
  sentences,
} from "../lib/i18n/format.ts";

interface Headed {
  /** `h1` if the page has no other headline. */
  readonly heading: "h1" | "h2";
}

interface Props extends Headed {
  readonly inbox: Inbox;
  readonly screen: PictureScreen;
  /** Takes back the pictures of this side; `null` if there are none. */
  readonly onBurn: (() => void) | null;
}

/**
 * A picture from the peer that is arriving, locked or on screen. After it is closed, an animation
 * plays that contains no pixel of it: they are wiped before the page hears of the closing.
 */
export function Incoming({ heading, ...props }: Props) {
  const { inbox } = props;
  const picture = inbox.picture.value;
  switch (picture?.state.at) {
    case "receiving":
      return <Receiving heading={heading} picture={picture} received={picture.state.received} />;
    case "delivered":
      return <Locked heading={heading} picture={picture} inbox={inbox} />;
    case "opening":
      if (picture.state.waits === "owner") return <Asking heading={heading} inbox={inbox} />;
      return <Open key={picture.meta.n} picture={picture} {...props} />;
    case "viewing":
      return <Open key={picture.meta.n} picture={picture} {...props} />;
    case "closed":
      return <span key={picture.meta.n} class="closing" aria-hidden="true" />;
    default:
      return null;
  }
}

/** Drawing of the back of a photo print. */
function Print() {
  const t = useTexts();
  return (
    <div class="print" role="img" aria-label={t.view.locked}>
      <svg class="lock" viewBox="0 0 24 24" aria-hidden="true">
        <rect x="5" y="11" width="14" height="9" rx="2" />
        <path d="M8 11V8a4 4 0 0 1 8 0v3" />
      </svg>
    </div>
  );
}

function Receiving(
  { picture, received, heading: Heading }: Headed & { picture: IncomingPicture; received: number },
) {
  const t = useTexts();
  const part = Math.floor(received / picture.meta.size * 100);
  return (
    <section class="card">
      <Print />
      <Heading>{t.view.receivingTitle}</Heading>
      <progress max={100} value={part} aria-label={t.view.receivingTitle} />
      <p>{fill(t.view.receiving, { percent: percent(t, part / 100) })}</p>
    </section>
  );
}

function Locked(
  { picture, inbox, heading: Heading }: Headed & { picture: IncomingPicture; inbox: Inbox },
) {
  const t = useTexts();
  const { view } = picture.meta;
  const { seconds } = view;
  return (
    <section class="card">
      <Print />
      <Heading>{t.view.deliveredTitle}</Heading>
      <p>
        {sentences(t, [
          seconds === 0
            ? t.view.deliveredOpen
            : fill(t.view.delivered, { duration: inWords(t, seconds) }),
          ...sayOptions(t, view, "note"),
          t.view.privacy,
        ])}
      </p>
      <button type="button" class="primary" data-action="open" onClick={() => inbox.open()}>
        {seconds === 0 ? t.view.open : fill(t.view.openFor, { n: number(t, seconds) })}
      </button>
      <p class="small">{t.view.markNote}</p>
    </section>
  );
}

/** Waits for the sender to allow opening the picture. */
function Asking({ inbox, heading: Heading }: Headed & { inbox: Inbox }) {
  const t = useTexts();
  return (
    <section class="card" data-field="asking">
      <Print />
      <Heading>{t.view.askingTitle}</Heading>
      <p role="status">{t.view.asking}</p>
      <button type="button" data-action="close" onClick={() => inbox.close("user")}>
        {t.view.never}
      </button>
    </section>
  );
}

function Open(
  { picture, inbox, screen, onBurn }: Omit<Props, "heading"> & { picture: IncomingPicture },
) {
  const t = useTexts();
  const canvas = useRef<HTMLCanvasElement>(null);
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    // A modal dialog keeps focus and screen readers inside, and lets Escape close it.
    dialog.current?.showModal();
    screen.setCanvas(canvas.current);
    return () => screen.setCanvas(null);
  }, [screen]);
  const state = screen.viewing.value;
  const painted = picture.state.at === "viewing";
  const left = state?.seconds ?? null;
  const { alt, caption, name } = picture.meta;
  const said = [caption, name].flatMap((text) => text === undefined ? [] : [foreign(text)]);
  const words = said.join(" · ");
  const spoken = state?.spoken ?? null;
  const setHeld = state?.setHeld ?? null;
  const togglePlay = state?.togglePlay ?? null;
  const veil = veilText(t, picture, state);
  return (
    <dialog
      class="viewer"
      ref={dialog}
      data-viewer
      aria-label={t.view.canvas}
      onClose={() => inbox.close("user")}
    >
      {/* Focused first, so that the space bar holds at once and no key closes by mistake. */}
      <div class="stage" tabIndex={0} role="group" aria-label={t.view.canvas}>
        <canvas ref={canvas} role="img" aria-label={plain(alt ?? "") || t.view.canvas} />
      </div>
      {veil !== null && <p class="veil" role="status">{veil}</p>}
      <div class="viewer-foot">
        {painted && state?.motion === "still" && (
          <p class="viewer-caption" role="status" data-field="still">{t.view.still}</p>
        )}
        {words !== "" && <p class="viewer-caption" dir="auto">{words}</p>}
        <span class="viewer-actions">
          {setHeld !== null && <HoldButton held={state?.hold === "held"} onHold={setHeld} />}
          {painted && togglePlay !== null && (
            <button type="button" data-action="play" onClick={togglePlay}>
              {state?.motion === "playing" ? t.view.pause : t.view.play}
            </button>
          )}
          {painted && left !== null && (
            <button
              type="button"
              data-action="more"
              aria-disabled={picture.request !== null}
              onClick={() => inbox.request("more")}
            >
              {picture.request === "more" ? t.view.moreAsked : t.view.more}
            </button>
          )}
        </span>
      </div>
      <p class="visually-hidden" aria-live="assertive">
        {spoken === null ? "" : plural(t, t.view.countdown, spoken)}
      </p>
      <div class="viewer-bar">
        {painted
          ? (
            <span class="countdown" data-field="countdown">
              <Ring
                fraction={state?.fraction ?? 1}
                label={left === null ? "∞" : number(t, left)}
              />
              <span class="visually-hidden">
                {left === null ? t.view.until : plural(t, t.view.countdown, left)}
              </span>
            </span>
          )
          : <span />}
        <span class="viewer-actions">
          {onBurn !== null && (
            <button type="button" class="danger" data-action="burn" onClick={onBurn}>
              {t.view.burnOwn}
            </button>
          )}
          <button type="button" data-action="close" onClick={() => inbox.close("user")}>
            {t.view.close}
          </button>
        </span>
      </div>
    </dialog>
  );
}

/** Shows the picture while it is pressed, as the picture itself does; keys are watched there. */
function HoldButton({ held, onHold }: { held: boolean; onHold: (held: boolean) => void }) {
  const t = useTexts();
  const release = () => onHold(false);
  return (
    <button
      type="button"
      data-action="hold"
      aria-pressed={held}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        // Without capture, the release of a mouse that has left the button would be lost.
        if (event.isTrusted) event.currentTarget.setPointerCapture(event.pointerId);
        onHold(true);
      }}
      onPointerUp={release}
      onPointerCancel={release}
      onLostPointerCapture={release}
    >
      {t.view.reveal}
    </button>
  );
}

/**
 * Text in place of the picture; `null` while the picture is visible. It says of the time only what
 * holds now: it runs from the first frame on.
 */
function veilText(t: Texts, picture: IncomingPicture, state: ViewingState | null) {
  const { meta: { view }, state: { at } } = picture;
  const painted = at === "viewing";
  if (state === null) return t.view.opening;
  const time = view.seconds === 0 ? "" : painted ? t.view.timeRuns : t.view.timeWaits;
  const closes = painted ? "" : plural(t, t.view.closesUnseen, Math.round(lookMs(view) / 1_000));
  if (state.covered) return sentences(t, [t.view.covered, time, closes]);
  if (state.hold === "released") {
    return painted ? sentences(t, [t.view.holdAgain, time]) : t.view.hold;
  }
  return painted ? null : t.view.opening;
}
