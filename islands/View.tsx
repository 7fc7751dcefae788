import { useEffect, useRef } from "preact/hooks";
import { asset } from "fresh/runtime";
import { Announcer } from "../components/Announcer.tsx";
import { CodeField } from "../components/CodeField.tsx";
import { Incoming } from "../components/Incoming.tsx";
import { Notice } from "../components/Notice.tsx";
import { PictureInput } from "../components/PictureInput.tsx";
import { Relay } from "../components/Relay.tsx";
import { Status } from "../components/Status.tsx";
import { Seconds } from "../components/Seconds.tsx";
import { outcome } from "../components/Timeline.tsx";
import { Verification } from "../components/Verification.tsx";
import { useFocus } from "../components/use_focus.ts";
import { en } from "../lib/i18n/en.ts";
import type { IncomingPicture } from "../lib/session/inbox.ts";
import type { OutgoingPicture } from "../lib/session/outbox.ts";
import { isFinished } from "../lib/session/outgoing.ts";
import type { FailReason } from "../lib/session/phases.ts";
import { VIEW_SECONDS } from "../lib/session/picker.ts";
import type { Session } from "../lib/session/session.ts";
import { ViewerModel } from "../lib/session/viewer_model.ts";
import { useModel } from "../lib/session/use_model.ts";

/** The viewer's page. */
export default function View() {
  const model = useModel(() => new ViewerModel(asset("/workers/decode_worker.js"))).value;
  useEffect(() => {
    if (model === null) return;
    const read = () => model.readFragment();
    globalThis.addEventListener("hashchange", read);
    return () => globalThis.removeEventListener("hashchange", read);
  }, [model]);
  const phase = model?.phase.value ?? "idle";
  // A link that is pasted into the field for a code takes the field away.
  const main = useFocus(`${phase} ${model?.by.value ?? "link"}`);
  return (
    <main
      id="content"
      ref={main}
      tabIndex={-1}
      data-phase={phase}
      data-reason={model?.reason.value ?? undefined}
    >
      <Body model={model} />
      <Announcer text={model === null ? "" : announcement(model)} />
    </main>
  );
}

/** What a screen reader hears when the phase changes. */
function announcement(model: ViewerModel): string {
  const life = model.session.value?.life.value;
  if (life?.at === "ended") return en.ended.viewer[life.reason].join(". ");
  const picture = model.session.value?.inbox.value?.picture.value ?? null;
  switch (model.phase.value) {
    case "failed":
      // The form says it itself, next to its field.
      if (model.asksForCode) return "";
      return model.failure === null ? "" : failedText(model, model.failure).join(". ");
    case "connecting":
      return en.view.connecting;
    case "connected":
      return en.view.connectedTitle;
    case "receiving":
      return en.view.receivingTitle;
    case "delivered":
      return en.view.deliveredTitle;
    case "closed":
      return picture === null ? "" : farewell(picture);
    default:
      return "";
  }
}

function Body({ model }: { model: ViewerModel | null }) {
  if (model === null) return <Invitation model={model} />;
  const session = model.session.value;
  switch (model.phase.value) {
    case "failed":
      return model.asksForCode ? <Code model={model} /> : <Failed model={model} />;
    case "ended":
      return <Ended session={session} />;
    case "idle":
      return model.asksForCode ? <Code model={model} /> : <Invitation model={model} />;
    case "connecting":
      return <Connecting session={session} />;
    default:
      return session === null ? null : <Live model={model} session={session} />;
  }
}

/** Asks for the code that a friend says. */
function Code({ model }: { model: ViewerModel }) {
  return (
    <section class="card">
      <h1>{en.code.title}</h1>
      <p class="lead">{en.code.intro}</p>
      <form
        class="code-form"
        onSubmit={(event) => {
          event.preventDefault();
          model.join();
        }}
      >
        <CodeField
          value={model.codeText.value}
          suggestions={model.suggestions.value}
          problem={problemOf(model)}
          onType={(text) => model.typeCode(text)}
          onComplete={(word) => model.complete(word)}
        />
        <button type="submit" class="primary" data-action="join">
          {en.view.join}
        </button>
      </form>
      <Options model={model} />
      <p class="small">{en.code.linkInstead}</p>
    </section>
  );
}

/** What is wrong with the code, or why it led nowhere. */
function problemOf(model: ViewerModel): string | null {
  const failure = model.failure;
  if (failure !== null) return failedText(model, failure).join(". ");
  const problem = model.codeProblem.value;
  if (problem === null) return null;
  return problem.reason === "unknown_word"
    ? en.code.problem.unknown_word(problem.word)
    : en.code.problem[problem.reason];
}

function failedText(model: ViewerModel, reason: FailReason): readonly [string, string] {
  if (model.retry !== undefined) return en.busyFor(model.retry);
  const byCode: Partial<Record<FailReason, readonly [string, string]>> = en.failedCode;
  return model.by.value === "code" && byCode[reason] || en.failed[reason];
}

function Invitation({ model }: { model: ViewerModel | null }) {
  return (
    <section class="card">
      <h1>{en.view.title}</h1>
      <p class="lead">{en.view.intro}</p>
      <button
        type="button"
        class="primary large"
        data-action="join"
        disabled={model === null}
        onClick={() => model?.join()}
      >
        {en.view.join}
      </button>
      <Options model={model} />
    </section>
  );
}

/** What can be chosen before the button is pressed; unfolded where that button failed for the lack of a relay. */
function Options({ model }: { model: ViewerModel | null }) {
  return (
    <details class="more" open={model?.failure === "no_relay"}>
      <summary>{en.send.options}</summary>
      <Relay on={model?.relay.value ?? false} onChange={(on) => model?.setRelay(on)} />
    </details>
  );
}

function Connecting({ session }: { session: Session | null }) {
  const waiting = session?.life.value.at === "waiting";
  return (
    <section class="card">
      <h1>{en.view.connecting}</h1>
      <Status busy>
        {session?.contact.value === false
          ? en.status.noServer
          : waiting
          ? en.view.waitingSender
          : en.view.connectingHint}
      </Status>
      <Leave session={session} />
    </section>
  );
}

function Live({ model, session }: { model: ViewerModel; session: Session }) {
  const inbox = session.inbox.value;
  const picture = inbox?.picture.value ?? null;
  const keep = session.keep.value;
  const onScreen = picture?.state.at === "opening" || picture?.state.at === "viewing";
  return (
    <>
      {!session.steady.value && <Status busy>{en.status.unsteady}</Status>}
      {inbox !== null && <Incoming inbox={inbox} onBurn={ownBurn(session)} />}
      <Between picture={picture} keep={keep} />
      <Verification session={session} />
      {keep && !onScreen && <Answer model={model} session={session} />}
      {!onScreen && <Leave session={session} />}
    </>
  );
}

/** What stands where no picture is on its way. */
function Between({ picture, keep }: { picture: IncomingPicture | null; keep: boolean }) {
  switch (picture?.state.at) {
    case undefined:
      return (
        <section class="card">
          <h1>{en.view.connectedTitle}</h1>
          <Status busy>{en.view.connected}</Status>
        </section>
      );
    case "closed":
    case "revoked":
    case "failed":
      return (
        <section class="card">
          <div class="gone" aria-hidden="true" />
          <h1>{en.view.closedTitle}</h1>
          <p>{farewell(picture)}</p>
          {keep && <p>{en.view.connectedIdle}</p>}
        </section>
      );
    default:
      return null;
  }
}

function farewell({ state }: IncomingPicture): string {
  switch (state.at) {
    case "closed":
      return state.why === "revoked" ? en.view.revokedWhile(state.ms) : en.view.closed(state.ms);
    case "revoked":
      return en.view.revoked;
    case "failed":
      if (state.code === "timeout") return en.view.notUnlocked;
      return state.code === "undecodable" ? en.view.undecodable : en.view.refused;
    default:
      return "";
  }
}

/** Takes back what this side sent; `null` while there is nothing to take back. */
function ownBurn(session: Session): (() => void) | null {
  const open = session.outbox.pictures.value.some(({ state }) => !isFinished(state));
  return open ? () => session.burn() : null;
}

/** What became of the pictures that were sent back. */
function Sent({ pictures }: { pictures: readonly OutgoingPicture[] }) {
  return (
    <>
      {pictures.map((picture) => (
        <p key={picture.n} class="small">
          {en.send.pictureOf(picture.n + 1, pictures.length)}: {outcome(picture)}
        </p>
      ))}
    </>
  );
}

/** Sends a picture back. */
function Answer({ model, session }: { model: ViewerModel; session: Session }) {
  const input = useRef<HTMLInputElement>(null);
  const problem = model.picker.problem.value;
  const preparing = model.picker.preparing.value;
  const pictures = session.outbox.pictures.value;
  const burn = ownBurn(session);
  return (
    <section class="answer">
      <PictureInput
        input={input}
        label={en.send.sendBack}
        disabled={preparing}
        onChoose={(files) => model.choose(files)}
      />
      {problem !== null && (
        <Notice reason={problem.reason}>
          {en.pictureNamed(problem.name, en.picture[problem.reason])}
        </Notice>
      )}
      <Sent pictures={pictures} />
      <Seconds
        choices={VIEW_SECONDS}
        value={model.picker.seconds.value}
        onChange={(seconds) => model.setSeconds(seconds)}
      />
      <button
        type="button"
        data-action="choose"
        disabled={preparing}
        onClick={() => input.current?.click()}
      >
        {preparing ? en.send.preparing : en.send.sendBack}
      </button>
      {burn !== null && (
        <button type="button" class="danger" data-action="burn" onClick={burn}>
          {en.view.burnOwn}
        </button>
      )}
    </section>
  );
}

function Leave({ session }: { session: Session | null }) {
  return (
    <div class="actions">
      <button type="button" data-action="leave" onClick={() => session?.leave()}>
        {en.view.leave}
      </button>
    </div>
  );
}

function Ended({ session }: { session: Session | null }) {
  const life = session?.life.value;
  if (session === null || life?.at !== "ended") return null;
  const [title, text] = en.ended.viewer[life.reason];
  const picture = session.inbox.value?.picture.value ?? null;
  return (
    <section class="card">
      <div class="gone" aria-hidden="true" />
      <h1>{title}</h1>
      {picture !== null && <p>{farewell(picture)}</p>}
      <p>{text}</p>
      <Sent pictures={session.outbox.pictures.value} />
      <a class="button" href="/">{en.view.sendOwn}</a>
    </section>
  );
}

function Failed({ model }: { model: ViewerModel }) {
  const reason = model.failure;
  if (reason === null) return null;
  const [title, text] = failedText(model, reason);
  return (
    <section class="card">
      <h1>{title}</h1>
      <p>{text}</p>
      {reason === "no_relay" && <Options model={model} />}
      {model.retryable && (
        <button
          type="button"
          class="primary"
          data-action="join"
          onClick={() => model.join()}
        >
          {en.view.retry}
        </button>
      )}
    </section>
  );
}
