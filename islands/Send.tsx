import { useRef } from "preact/hooks";
import { asset } from "fresh/runtime";
import { Alerts } from "../components/Alerts.tsx";
import { Announcer } from "../components/Announcer.tsx";
import { Failure } from "../components/Failure.tsx";
import { InAppHint } from "../components/InAppHint.tsx";
import { Choices } from "../components/Choices.tsx";
import { PicturesLost } from "../components/PicturesLost.tsx";
import { Incoming } from "../components/Incoming.tsx";
import { ScriptMissing } from "../components/ScriptMissing.tsx";
import { PictureInput } from "../components/PictureInput.tsx";
import { Pictures } from "../components/Pictures.tsx";
import { Problems } from "../components/Problems.tsx";
import { Question } from "../components/Question.tsx";
import { Relay } from "../components/Relay.tsx";
import { Retry } from "../components/Retry.tsx";
import { ScanButton } from "../components/ScanButton.tsx";
import { Seconds } from "../components/Seconds.tsx";
import { ShareLink } from "../components/ShareLink.tsx";
import { Status } from "../components/Status.tsx";
import { senderWhy, spoken } from "../components/messages.ts";
import { describe, lastSaid, Timeline } from "../components/Timeline.tsx";
import { isGone, outcome } from "../components/outcome.ts";
import { Verification } from "../components/Verification.tsx";
import { ViewerRequests } from "../components/ViewerRequests.tsx";
import { TextsContext, useTexts } from "../components/texts.ts";
import { otherSignalingHost } from "../lib/device/environment.ts";
import { useApp } from "../lib/app/use_app.ts";
import { useFiles } from "../components/use_files.ts";
import { useFocus } from "../components/use_focus.ts";
import { useLanguage } from "../components/use_language.ts";
import { useLeaving } from "../components/use_leaving.ts";
import type { Texts } from "../lib/i18n/texts.ts";
import { fill, foreign, percent, sentences } from "../lib/i18n/format.ts";
import { DEFAULT_RULES } from "../lib/protocol/display_options.ts";
import { isFinished } from "../lib/pictures/outgoing.ts";
import type { OutgoingPicture } from "../lib/pictures/outgoing_list.ts";
import type { SenderPhase } from "../lib/pages/phases.ts";
import { VIEW_SECONDS } from "../lib/pages/picker.ts";
import { SenderModel } from "../lib/pages/sender_model.ts";
import type { Session } from "../lib/pages/session.ts";
import { type Company, useCompanion } from "../lib/pages/use_companion.ts";
import { useModel } from "../lib/pages/use_model.ts";

/** The sender's page; `texts` are in the language that the server chose for it. */
export default function Send({ texts }: { texts: Texts }) {
  const t = useLanguage(texts);
  const model = useModel(() => new SenderModel(asset("/workers/picture_worker.js"))).value;
  const input = useRef<HTMLInputElement>(null);
  const camera = useRef<HTMLInputElement>(null);
  const phase = model?.phase.value ?? "idle";
  const session = model?.session.value ?? null;
  const dragging = useFiles((files) => model?.choose(files));
  useApp((files) => model?.choose(files), model !== null);
  const pick = () => input.current?.click();
  const shoot = () => camera.current?.click();
  const main = useFocus(phase);
  const leaving = useLeaving(model?.waits ?? false);
  const news: Partial<Record<SenderPhase, string>> = t.news.sender;
  const company = useCompanion({
    page: "send",
    phase,
    reason: model?.reason.value ?? null,
    news: phase === "delivered" && isAsked(session) ? t.news.sender.asked : news[phase],
    session,
    icon: asset("/favicon_here.svg"),
  });
  return (
    <TextsContext.Provider value={t}>
      <main
        id="content"
        ref={main}
        tabIndex={-1}
        class={dragging ? "dragging" : ""}
        data-phase={phase}
        data-reason={model?.reason.value ?? undefined}
      >
        <PictureInput
          input={input}
          label={t.send.choose}
          disabled={model === null || model.obstacle !== null}
          onChoose={(files) => model?.choose(files)}
        />
        <PictureInput
          input={camera}
          camera
          label={t.send.camera}
          disabled={model === null || model.obstacle !== null}
          onChoose={(files) => model?.choose(files)}
        />
        {model?.stranded === true
          ? <Stranded model={model} diagnose={company.diagnose} />
          : model?.lapsed === true
          ? <Lapsed model={model} />
          : model?.returning.value === true
          ? (
            <section class="card">
              <h1>{t.status.returning}</h1>
              <Status busy>{t.status.returningHint}</Status>
              <div class="actions">
                <button type="button" data-action="leave" onClick={() => model.reset()}>
                  {t.send.leave}
                </button>
              </div>
            </section>
          )
          : session === null || model === null
          ? <Compose model={model} company={company} phase={phase} pick={pick} shoot={shoot} />
          : <Live model={model} company={company} session={session} phase={phase} pick={pick} />}
        <Announcer text={announcement(t, phase, session)} />
        {leaving.asked && <Question {...t.send.leavePage} onAnswer={(go) => leaving.answer(go)} />}
        {dragging && <p class="drop-veil" aria-hidden="true">{t.send.drop}</p>}
      </main>
    </TextsContext.Provider>
  );
}

interface Parts {
  readonly phase: SenderPhase;
  readonly pick: () => void;
  readonly company: Company;
}

/** Shown if pictures were chosen but the server does not answer. */
function Stranded({ model, diagnose }: { model: SenderModel } & Pick<Company, "diagnose">) {
  const t = useTexts();
  return (
    <Failure place="result" why={t.failed.unreachable} seen={t.why.stayed} diagnose={diagnose}>
      <div class="actions">
        <Retry
          action="retry"
          label={t.send.retry}
          wait={undefined}
          primary
          onPress={() => model.again()}
        />
        <button type="button" data-action="reset" onClick={() => model.reset()}>
          {t.send.another}
        </button>
      </div>
    </Failure>
  );
}

/** Shown if this tab had a session that has expired. */
function Lapsed({ model }: { model: SenderModel }) {
  const t = useTexts();
  return (
    <Failure place="result" why={t.failedSender.forgotten} seen="" diagnose={null}>
      <div class="actions">
        <button type="button" class="primary" data-action="reset" onClick={() => model.reset()}>
          {t.send.another}
        </button>
      </div>
    </Failure>
  );
}

function Compose(
  { model, phase, pick, shoot, company }: Parts & {
    model: SenderModel | null;
    shoot: () => void;
  },
) {
  const t = useTexts();
  if (model !== null && model.obstacle !== null) {
    return (
      <Failure
        place="card"
        why={t.failed[model.obstacle]}
        seen={t.why.nothingSeen}
        diagnose={company.diagnose}
      >
        <InAppHint inApp={company.companion?.inApp ?? null} link={() => globalThis.location.href} />
      </Failure>
    );
  }
  const preparing = phase === "preparing";
  return (
    <>
      <h1>{t.send.title}</h1>
      <p class="lead">{t.send.intro}</p>
      <div class="drop-zone">
        <button
          type="button"
          class="primary large"
          data-action="choose"
          disabled={model === null || preparing}
          onClick={pick}
        >
          {preparing ? t.send.preparing : t.send.choose}
        </button>
        <button
          type="button"
          class="camera"
          data-action="camera"
          disabled={model === null || preparing}
          onClick={shoot}
        >
          {t.send.camera}
        </button>
        {model === null && <ScriptMissing />}
        <p class="for-mice">{t.send.dropHint}</p>
        <p class="small">{t.send.formats}</p>
      </div>
      <Problems
        problems={model?.picker.problems.value ?? []}
        linkGone={model?.linkGone.value ?? false}
      />
      <Seconds
        choices={VIEW_SECONDS}
        value={(model?.picker.rules.value ?? DEFAULT_RULES).seconds}
        onChange={(seconds) => model?.setRules({ seconds })}
      />
      <details class="more">
        <summary>{t.send.options}</summary>
        <Choices model={model} />
      </details>
      <div class="actions">
        <a class="aside" href="/join">{t.send.haveCode}</a>
        <ScanButton take={model === null ? undefined : (text) => model.takeScanned(text)} />
      </div>
      <InAppHint inApp={company.companion?.inApp ?? null} link={() => globalThis.location.href} />
    </>
  );
}

function Live(
  { model, session, phase, pick, company }: Parts & { model: SenderModel; session: Session },
) {
  const t = useTexts();
  const life = session.life.value;
  const pictures = session.outbox.pictures.value;
  const inbox = session.inbox.value;
  const over = life.at === "ended" || life.at === "failed";
  const waiting = life.at === "waiting" || life.at === "starting";
  const done = pictures.length > 0 && pictures.every(({ state }) => isFinished(state));
  const link = model.link.value;
  const burn = over || done ? null : () => session.burn();
  return (
    <>
      {over
        ? <Over model={model} session={session} diagnose={company.diagnose} />
        : (
          <Status headline busy={phase !== "closed"}>
            <StatusText phase={phase} session={session} />
          </Status>
        )}
      <Problems problems={model.picker.problems.value} />
      {session.forgot.value && !over && <PicturesLost model={model} pick={pick} />}
      <div class="table">
        <div class="prints">
          <Pictures
            pictures={pictures}
            choices={VIEW_SECONDS}
            actions={over ? null : model}
          />
          {!over && <Removed model={model} session={session} pick={pick} />}
        </div>
        <div class="desk">
          {waiting && link !== null && (
            <ShareLink link={link} code={model.code.value} codeless={codeless(session)} />
          )}
          {waiting && <Alerts attention={company.companion?.attention ?? null} />}
          <ViewerRequests session={session} />
          {inbox !== null && (
            <Incoming heading="h2" inbox={inbox} screen={session.screen} onBurn={burn} />
          )}
          <Verification session={session} />
          {!over && (
            <div class="actions near">
              {burn !== null && (
                <button
                  type="button"
                  class={waiting ? "" : "danger"}
                  data-action="burn"
                  onClick={burn}
                >
                  {t.send.burn}
                </button>
              )}
              <button type="button" data-action="leave" onClick={() => session.leave()}>
                {done ? t.send.end : t.send.leave}
              </button>
            </div>
          )}
        </div>
        {!over && <Options model={model} session={session} pick={pick} />}
        <Timeline entries={session.timeline.value} numbered={pictures.length > 1} />
      </div>
    </>
  );
}

/**
 * The picture that was removed last, with an undo button; or a session that has no pictures left.
 */
function Removed(
  { model, session, pick }: { model: SenderModel; session: Session; pick: () => void },
) {
  const t = useTexts();
  const removed = model.removed.value;
  const empty = session.outbox.pictures.value.length === 0 && !session.forgot.value;
  if (removed === null && !empty) return null;
  const name = removed?.name ?? "";
  return (
    <section class="wish" role="status" data-field={removed === null ? "empty" : "removed-picture"}>
      <p>
        {sentences(t, [
          removed === null
            ? ""
            : name === ""
            ? t.send.removed
            : fill(t.send.removedNamed, { name: foreign(name) }),
          empty ? t.send.empty : "",
        ])}
      </p>
      <div class="actions">
        {removed !== null && (
          <button
            type="button"
            data-action="undo-remove"
            onClick={() => model.undoRemove()}
          >
            {t.edit.undo}
          </button>
        )}
        {empty && (
          <button type="button" class="primary" data-action="choose-another" onClick={pick}>
            {t.send.choose}
          </button>
        )}
      </div>
    </section>
  );
}

/** Why there is no code: it was withdrawn after too many attempts, or could not be created. */
function codeless(session: Session): "withdrawn" | "unavailable" | null {
  if (!session.codeless.value) return null;
  const timeline = session.timeline.value;
  return timeline.some(({ what }) => what.type === "turned_away" && what.withdrawn)
    ? "withdrawn"
    : "unavailable";
}

function Options(
  { model, session, pick }: { model: SenderModel; session: Session; pick: () => void },
) {
  const t = useTexts();
  const { at } = session.life.value;
  const unconnected = at === "starting" || at === "waiting";
  return (
    <details class="more" open={session.keep.value}>
      <summary>{t.send.optionsLive}</summary>
      <Seconds
        choices={VIEW_SECONDS}
        value={model.picker.rules.value.seconds}
        onChange={(seconds) => model.setRules({ seconds })}
      />
      <Choices model={model} connected={!unconnected} />
      <button type="button" data-action="choose" onClick={pick}>{t.send.addAnother}</button>
    </details>
  );
}

/** What a screen reader announces when the phase changes: only what changed, and no percentages. */
function announcement(t: Texts, phase: SenderPhase, session: Session | null): string {
  const life = session?.life.value;
  if (life?.at === "ended" || life?.at === "failed") {
    return spoken(
      t,
      senderWhy(t, life, {
        again: session?.again ?? false,
        elsewhere: otherSignalingHost(),
      }),
    );
  }
  switch (phase) {
    case "preparing":
      return t.send.preparing;
    case "sending":
      return t.status.sendingNow;
    case "closed":
      return lastOutcome(t, session?.outbox.pictures.value ?? []);
    case "waiting":
    case "connecting":
      return turnedAway(t, session) || t.status[phase];
    case "delivered":
      return isAsked(session) ? t.send.asked : t.status.delivered;
    case "connected":
    case "opened":
    case "shown":
      return t.status[phase];
    default:
      return "";
  }
}

function isAsked(session: Session | null): boolean {
  return session?.outbox.pictures.value.some(({ state }) => state.at === "asked") ?? false;
}

/** The last peer who was turned away, unless something has happened since. */
function turnedAway(t: Texts, session: Session | null): string {
  const last = lastSaid(session?.timeline.value ?? []);
  return last?.what.type === "turned_away" ? describe(t, last) : "";
}

function lastOutcome(t: Texts, pictures: readonly OutgoingPicture[]): string {
  const last = pictures.findLast(({ state }) => isFinished(state));
  return last === undefined ? "" : outcome(t, last);
}

function StatusText({ phase, session }: { phase: SenderPhase; session: Session }) {
  const t = useTexts();
  const pictures = session.outbox.pictures.value;
  const live = session.life.value.at === "live";
  if (!live && !session.contact.value) return <>{t.status.noServer}</>;
  if (live && session.away.value) return <>{t.status.away}</>;
  if (live && !session.steady.value) return <>{t.status.unsteady}</>;
  if (live && session.forgot.value) return <>{t.send.forgotTitle}</>;
  switch (phase) {
    case "preparing":
      return <>{t.status.starting}</>;
    case "sending": {
      const current = pictures.find(({ state }) => state.at === "sending");
      if (current?.state.at !== "sending") return null;
      const part = Math.floor(current.state.sent / (current.prepared?.size ?? 1) * 100);
      return <>{fill(t.status.sending, { percent: percent(t, part / 100) })}</>;
    }
    case "closed":
      return <>{lastOutcome(t, pictures)}</>;
    case "delivered":
      return <>{isAsked(session) ? t.send.asked : t.status.delivered}</>;
    case "waiting":
    case "connecting":
    case "connected":
    case "opened":
    case "shown":
      return <>{t.status[phase]}</>;
    default:
      return null;
  }
}

/** Reasons that mean something went wrong. */
const WRONG: readonly string[] = ["lost", "protocol", "mismatch"];

function Over(
  { model, session, diagnose }:
    & { model: SenderModel; session: Session }
    & Pick<Company, "diagnose">,
) {
  const t = useTexts();
  const life = session.life.value;
  if (life.at !== "ended" && life.at !== "failed") return null;
  const unconfirmed = session.outbox.pictures.value.some(({ state }) => state.at === "unconfirmed");
  const unseen = model.unseen.length > 0;
  // With several pictures, each shows its own outcome.
  const [only, ...others] = session.outbox.pictures.value;
  const alone = only !== undefined && others.length === 0 ? only : null;
  const gone = alone !== null && isGone(alone) && !unconfirmed ? outcome(t, alone) : "";
  const none = session.outbox.pictures.value.every(({ state }) => state.at === "unseen");
  const seen = none ? t.why.nothingSeen : gone;
  // After a mismatch, the page must not suggest continuing at once over the same channel.
  const mismatch = life.reason === "mismatch";
  return (
    <Failure
      place="result"
      why={senderWhy(t, life, { again: session.again, elsewhere: otherSignalingHost() })}
      seen={life.at === "failed" && !session.again ? t.why.stayed : seen}
      began={life.at === "ended"}
      diagnose={life.at === "failed" || WRONG.includes(life.reason) ? diagnose : null}
    >
      {unconfirmed && <p>{t.ended.unconfirmed}</p>}
      {life.reason === "no_relay" && (
        <Relay
          on={model.relay.value}
          onChange={(on) => model.setRelay(on)}
        />
      )}
      <div class="actions">
        {unseen && (
          <Retry
            action="retry"
            label={life.at === "failed" ? t.send.retry : t.send.newLink}
            wait={life.at === "failed" ? life.retry : undefined}
            primary={!mismatch}
            onPress={() => model.again()}
          />
        )}
        <button
          type="button"
          class={unseen || mismatch ? "" : "primary"}
          data-action="reset"
          onClick={() => model.reset()}
        >
          {t.send.another}
        </button>
      </div>
    </Failure>
  );
}
