import { useEffect, useRef } from "preact/hooks";
import { asset } from "fresh/runtime";
import { Incoming } from "../components/Incoming.tsx";
import { Notice } from "../components/Notice.tsx";
import { PictureInput } from "../components/PictureInput.tsx";
import { Status } from "../components/Status.tsx";
import { outcome } from "../components/Timeline.tsx";
import { en } from "../lib/i18n/en.ts";
import type { IncomingPicture } from "../lib/session/inbox.ts";
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
  return (
    <main
      id="content"
      data-phase={model?.phase.value ?? "idle"}
      data-reason={model?.reason.value ?? undefined}
    >
      <Body model={model} />
    </main>
  );
}

function Body({ model }: { model: ViewerModel | null }) {
  if (model === null) return <Invitation model={model} />;
  const session = model.session.value;
  switch (model.phase.value) {
    case "failed":
      return <Failed model={model} />;
    case "ended":
      return <Ended session={session} />;
    case "idle":
      return <Invitation model={model} />;
    case "connecting":
      return <Connecting session={session} />;
    default:
      return session === null ? null : <Live model={model} session={session} />;
  }
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
    </section>
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
      {inbox !== null && <Incoming inbox={inbox} />}
      <Between picture={picture} keep={keep} />
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
          <p role="status">{farewell(picture)}</p>
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
      return state.code === "undecodable" ? en.view.undecodable : en.view.refused;
    default:
      return "";
  }
}

/** Sends a picture back. */
function Answer({ model, session }: { model: ViewerModel; session: Session }) {
  const input = useRef<HTMLInputElement>(null);
  const problem = model.picker.problem.value;
  const preparing = model.picker.preparing.value;
  const pictures = session.outbox.pictures.value;
  return (
    <section class="answer">
      <PictureInput
        input={input}
        label={en.send.sendBack}
        disabled={preparing}
        onChoose={(files) => model.choose(files)}
      />
      {problem !== null && (
        <Notice>{en.pictureNamed(problem.name, en.picture[problem.reason])}</Notice>
      )}
      {pictures.map((picture) => (
        <p key={picture.n} class="small" role="status">
          {en.send.pictureOf(picture.n + 1, pictures.length)}: {outcome(picture)}
        </p>
      ))}
      <button
        type="button"
        data-action="choose"
        disabled={preparing}
        onClick={() => input.current?.click()}
      >
        {preparing ? en.send.preparing : en.send.sendBack}
      </button>
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
      <a class="button" href="/">{en.view.sendOwn}</a>
    </section>
  );
}

function Failed({ model }: { model: ViewerModel }) {
  const reason = model.failure;
  if (reason === null) return null;
  const [title, text] = en.failed[reason];
  return (
    <section class="card">
      <h1>{title}</h1>
      <p role="alert">{text}</p>
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
