import { useEffect } from "preact/hooks";
import { asset } from "fresh/runtime";
import { Announcer } from "../components/Announcer.tsx";
import { Answer } from "../components/Answer.tsx";
import { NoPicture } from "../components/NoPicture.tsx";
import { CodeField } from "../components/CodeField.tsx";
import { Diagnostics } from "../components/Diagnostics.tsx";
import { Failure } from "../components/Failure.tsx";
import { InAppHint } from "../components/InAppHint.tsx";
import { Incoming } from "../components/Incoming.tsx";
import { ScriptMissing } from "../components/ScriptMissing.tsx";
import { NobodyHere } from "../components/NobodyHere.tsx";
import { Relay } from "../components/Relay.tsx";
import { Retry } from "../components/Retry.tsx";
import { ScanButton } from "../components/ScanButton.tsx";
import { Status } from "../components/Status.tsx";
import { spoken, viewerWhy } from "../components/messages.ts";
import { closingText } from "../components/closing.ts";
import { Sent } from "../components/Sent.tsx";
import { RoutesTried } from "../components/RoutesTried.tsx";
import { Verification } from "../components/Verification.tsx";
import { TextsContext, useTexts } from "../components/texts.ts";
import { useApp } from "../lib/app/use_app.ts";
import { useFocus } from "../components/use_focus.ts";
import { useLanguage } from "../components/use_language.ts";
import type { Texts, Why } from "../lib/i18n/texts.ts";
import { fill, foreign } from "../lib/i18n/format.ts";
import { isFinished } from "../lib/pictures/outgoing.ts";
import type { FailReason, ViewerPhase } from "../lib/pages/phases.ts";
import { VIEW_SECONDS } from "../lib/pages/picker.ts";
import type { Session } from "../lib/pages/session.ts";
import { ViewerModel } from "../lib/pages/viewer_model.ts";
import { type Company, useCompanion } from "../lib/pages/use_companion.ts";
import { useModel } from "../lib/pages/use_model.ts";

/** The viewer's page; `texts` are in the language that the server chose for it. */
export default function View({ texts }: { texts: Texts }) {
  const t = useLanguage(texts);
  const model = useModel(() => new ViewerModel(asset("/workers/picture_worker.js"))).value;
  useEffect(() => {
    if (model === null) return;
    const read = () => model.readFragment();
    globalThis.addEventListener("hashchange", read);
    return () => globalThis.removeEventListener("hashchange", read);
  }, [model]);
  // A viewer's browser keeps nothing of the app.
  useApp(null, true);
  const phase = model?.phase.value ?? "idle";
  const news: Partial<Record<ViewerPhase, string>> = t.news.viewer;
  const company = useCompanion({
    page: "join",
    phase,
    reason: model?.reason.value ?? null,
    news: news[phase],
    session: model?.session.value ?? null,
    icon: asset("/favicon_here.svg"),
  });
  // A link pasted into the code field removes that field.
  const main = useFocus(`${phase} ${model?.by.value ?? "link"}`);
  return (
    <TextsContext.Provider value={t}>
      <main
        id="content"
        ref={main}
        tabIndex={-1}
        data-phase={phase}
        data-reason={model?.reason.value ?? undefined}
      >
        <Body model={model} company={company} />
        <Announcer text={model === null ? "" : announcement(t, model)} />
      </main>
    </TextsContext.Provider>
  );
}

/** What a screen reader announces when the phase changes. */
function announcement(t: Texts, model: ViewerModel): string {
  const life = model.session.value?.life.value;
  if (life?.at === "ended") return spoken(t, t.ended.viewer[life.reason]);
  const picture = model.session.value?.inbox.value?.picture.value ?? null;
  switch (model.phase.value) {
    case "failed":
      // The form shows it next to its field.
      if (model.asksForCode) return "";
      return model.failure === null ? "" : spoken(t, failedText(t, model, model.failure));
    case "connecting":
      return t.view.connecting;
    case "connected":
      return t.view.connectedTitle;
    case "receiving":
      return t.view.receivingTitle;
    case "delivered":
      return t.view.deliveredTitle;
    case "closed":
      return picture === null ? "" : closingText(t, picture);
    default:
      return "";
  }
}

interface Parts {
  readonly model: ViewerModel;
  readonly company: Company;
}

function Body({ model, company }: { model: ViewerModel | null; company: Company }) {
  if (model === null) return <Invitation model={null} company={company} />;
  const session = model.session.value;
  switch (model.phase.value) {
    case "failed":
      return model.asksForCode
        ? <Code model={model} company={company} />
        : <Failed model={model} company={company} />;
    case "ended":
      return <Ended model={model} company={company} />;
    case "idle":
      return model.asksForCode
        ? <Code model={model} company={company} />
        : <Invitation model={model} company={company} />;
    case "connecting":
      return <Connecting model={model} session={session} />;
    default:
      return session === null ? null : <Live model={model} session={session} />;
  }
}

/** Asks for the code that the sender read out. */
function Code({ model, company }: Parts) {
  const t = useTexts();
  return (
    <section class="card">
      <h1>{t.code.title}</h1>
      <p class="lead">{t.code.intro}</p>
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
          problem={problemOf(t, model)}
          onType={(text) => model.typeCode(text)}
          onComplete={(word) => model.complete(word)}
        />
        <button type="submit" class="primary" data-action="join">
          {t.view.join}
        </button>
      </form>
      <ScanButton take={(text) => model.takeScanned(text)} />
      <Options model={model} />
      <FollowLater model={model} />
      <p class="small">{t.code.linkInstead}</p>
      <InAppHint inApp={company.companion?.inApp ?? null} link={() => globalThis.location.href} />
      {model.failure !== null && <Diagnostics diagnose={company.diagnose} />}
    </section>
  );
}

/** What is wrong with the code, or why joining with it failed. */
function problemOf(t: Texts, model: ViewerModel): string | null {
  const failure = model.failure;
  if (failure !== null) return spoken(t, failedText(t, model, failure));
  const problem = model.codeProblem.value;
  if (problem === null) return null;
  switch (problem.reason) {
    case "unknown_word":
      return fill(t.code.problem.unknown_word, { word: foreign(problem.word) });
    case "incomplete_code":
    case "unavailable_words":
      return t.code.problem[problem.reason];
    case "bad_link":
    case "foreign_link":
      return spoken(t, t.failed[problem.reason]);
    default:
      return problem satisfies never;
  }
}

function failedText(t: Texts, model: ViewerModel, reason: FailReason): Why {
  const again = model.session.value?.again ?? false;
  return viewerWhy(t, reason, { by: model.by.value, retry: model.retry, again });
}

function Invitation({ model, company }: { model: ViewerModel | null; company: Company }) {
  const t = useTexts();
  return (
    <section class="card">
      <h1>{t.view.title}</h1>
      <p class="lead">{t.view.intro}</p>
      {model?.exposed === true && <p class="hint" data-field="exposed">{t.view.exposed}</p>}
      <button
        type="button"
        class="primary large"
        data-action="join"
        disabled={model === null}
        onClick={() => model?.join()}
      >
        {t.view.join}
      </button>
      {model === null && <ScriptMissing />}
      <Options model={model} />
      <InAppHint
        inApp={company.companion?.inApp ?? null}
        link={() => model?.formatLink() ?? null}
      />
    </section>
  );
}

/** Options before the button is pressed; expanded if joining failed because there is no relay. */
function Options({ model }: { model: ViewerModel | null }) {
  const t = useTexts();
  return (
    <details class="more" open={model?.failure === "no_relay"}>
      <summary>{t.send.options}</summary>
      <Relay on={model?.relay.value ?? false} onChange={(on) => model?.setRelay(on)} />
    </details>
  );
}

function Connecting({ model, session }: { model: ViewerModel; session: Session | null }) {
  const t = useTexts();
  const waiting = session?.life.value.at === "waiting";
  return (
    <section class="card">
      <h1>{session === null ? t.status.returning : t.view.connecting}</h1>
      <Status busy>
        {session === null
          ? t.status.returningHint
          : session.contact.value === false
          ? t.status.noServer
          : waiting
          ? t.view.waitingSender
          : t.view.connectingHint}
      </Status>
      {session !== null && <NobodyHere />}
      <Later model={model} />
      <Leave onLeave={() => session === null ? model.stay() : session.leave()} />
    </section>
  );
}

function Live({ model, session }: { model: ViewerModel; session: Session }) {
  const t = useTexts();
  const inbox = session.inbox.value;
  const picture = inbox?.picture.value ?? null;
  const keep = session.keep.value;
  const burn = ownBurn(session);
  const onScreen = picture?.state.at === "viewing" ||
    (picture?.state.at === "opening" && picture.state.waits !== "owner");
  return (
    <>
      {session.away.value
        ? <Status busy>{t.status.awaySender}</Status>
        : !session.steady.value && <Status busy>{t.status.unsteady}</Status>}
      {inbox !== null && (
        <Incoming heading="h1" inbox={inbox} screen={session.screen} onBurn={burn} />
      )}
      <NoPicture picture={picture} keep={keep} />
      <Verification session={session} />
      {keep && !onScreen && (
        <Answer model={model} session={session} choices={VIEW_SECONDS} burn={burn} />
      )}
      {!onScreen && <Later model={model} />}
      {!onScreen && (
        <Leave onLeave={() => session.leave()} />
      )}
    </>
  );
}

/** Takes back what this side sent; `null` if there is nothing to take back. */
function ownBurn(session: Session): (() => void) | null {
  const open = session.outbox.pictures.value.some(({ state }) => !isFinished(state));
  return open ? () => session.burn() : null;
}

/** Says what became of another link that was opened in this tab meanwhile. */
function Later({ model }: { model: ViewerModel }) {
  const t = useTexts();
  return (
    <p class="hint" role="status" data-field="other-link">{model.hasLater && t.view.otherLink}</p>
  );
}

/** Goes on to that link, once the session is over. */
function FollowLater({ model }: { model: ViewerModel }) {
  const t = useTexts();
  if (!model.hasLater) return null;
  return (
    <button
      type="button"
      class="primary"
      data-action="other-link"
      onClick={() => model.followLater()}
    >
      {t.view.openOtherLink}
    </button>
  );
}

function Leave({ onLeave }: { onLeave: () => void }) {
  const t = useTexts();
  return (
    <div class="actions">
      <button type="button" data-action="leave" onClick={onLeave}>
        {t.view.leave}
      </button>
    </div>
  );
}

/** Text for when no picture is known; before a reload, this tab may have shown one. */
function nothingSeen(t: Texts, model: ViewerModel): string {
  return model.opened ? "" : t.why.nothingSeen;
}

/** The outcome of the last picture, before or after a reload. */
function lastSeen(t: Texts, model: ViewerModel, session: Session): string {
  const inbox = session.inbox.value;
  const picture = inbox?.picture.value;
  if (picture) {
    return picture.state.at === "lost" ? t.why.unopened : closingText(t, picture) || t.why.unopened;
  }
  const last = inbox?.last;
  if (last === undefined) return nothingSeen(t, model);
  return closingText(t, { state: { at: "closed", ...last } });
}

/** Reasons that mean something went wrong. */
const WRONG: readonly string[] = ["lost", "protocol", "mismatch"];

function Ended({ model, company: { diagnose } }: Parts) {
  const t = useTexts();
  const session = model.session.value;
  const life = session?.life.value;
  if (session === null || life?.at !== "ended") return null;
  return (
    <Failure
      place="card"
      why={t.ended.viewer[life.reason]}
      seen={lastSeen(t, model, session)}
      began
      diagnose={WRONG.includes(life.reason) ? diagnose : null}
    >
      <Sent pictures={session.outbox.pictures.value} />
      <FollowLater model={model} />
      <a class="button" href="/">{t.view.sendOwn}</a>
    </Failure>
  );
}

function Failed({ model, company }: Parts) {
  const t = useTexts();
  const reason = model.failure;
  if (reason === null) return null;
  return (
    <Failure
      place="card"
      why={failedText(t, model, reason)}
      seen={nothingSeen(t, model)}
      diagnose={company.diagnose}
    >
      <FollowLater model={model} />
      {reason === "network" && <RoutesTried trace={model.session.value?.trace ?? null} />}
      {reason === "no_relay" && <Options model={model} />}
      {model.retryable && (
        <Retry
          action="join"
          label={t.view.retry}
          wait={model.retry}
          primary
          onPress={() => model.join()}
        />
      )}
      <InAppHint
        inApp={company.companion?.inApp ?? null}
        link={() => model.formatLink()}
      />
    </Failure>
  );
}
