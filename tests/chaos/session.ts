/**
 * One session in bad conditions: two people who click what their pages offer, a plan of events, and
 * a judgment of the result.
 *
 * @module
 */
import { SEAT_GRACE_MS } from "../../lib/protocol/limits.ts";
import { seededRandom } from "../support/random.ts";
import type { UdpProxy } from "../support/udp_proxy.ts";
import { describe, type Happening, type Moment, type Plan, type Planned } from "./plan.ts";
import type { Tab, Verdict } from "./tab.ts";
import type { World } from "./world.ts";

/**
 * How long a session may take to finish once nothing disturbs it any more: the grace period, a
 * handshake, and the pauses between retries.
 */
const PATIENCE_MS = SEAT_GRACE_MS + 75_000;

/** How often people look at their pages, in ms. */
const LOOK_MS = 100;

/** How long people wait for a reloaded page to show its state, in ms. */
const RELOADED_MS = 10_000;

/** Selector of a page whose scripts have not run yet. */
const LATE = "[data-field=late]";

/** How often people retry. */
const TRIES = 4;

/** Two pages and the connection between them. */
export interface Pair {
  readonly sender: Tab;
  readonly viewer: Tab;
  readonly udp: UdpProxy;
}

/** What a run uses. */
export interface Stage {
  readonly pair: Pair;
  readonly world: World;
  /** The pictures to choose from; each has another size. */
  readonly pictures: readonly Picture[];
}

/** A picture on disk. */
export interface Picture {
  readonly path: string;
  /** Its name in {@linkcode Tab.drawn}: its size. */
  readonly name: string;
  readonly large: boolean;
}

/** How a run ended. */
export type Outcome = "seen" | "unseen" | "unconfirmed";

/** The result of a run. */
export interface Result {
  readonly plan: Plan;
  readonly outcome: Outcome;
  /** The results that the two pages report, with their phases. */
  readonly said: string;
  readonly ms: number;
  /** What went wrong; empty if nothing did. */
  readonly problems: readonly string[];
  /** The events with their times. */
  readonly log: readonly string[];
}

/**
 * Plays a plan to its end. Never throws because of what the pages do: that goes into `problems`.
 */
export async function play(stage: Stage, plan: Plan): Promise<Result> {
  const run = new Run(stage, plan);
  return await run.play();
}

class Run {
  readonly #stage: Stage;
  readonly #plan: Plan;
  readonly #began = performance.now();
  readonly #log: string[] = [];
  readonly #moments = new Map<Moment, PromiseWithResolvers<void>>();
  readonly #over = Promise.withResolvers<void>();
  /** The time until which something disturbed, or will disturb, the session. */
  #disturbed = performance.now();
  readonly #done = { sender: false, viewer: false };
  #hung = false;
  /** Events that should have happened but failed. */
  readonly #failures: string[] = [];
  /** Number of current reasons to block direct traffic between the browsers. */
  #cuts = 0;
  #link: string | null = null;
  #joined = false;
  #chosen: Picture | null = null;
  #choices = 0;
  /** Number of the sender's document in which the picture was chosen. */
  #chosenIn = 0;
  readonly #loadsBefore: { readonly sender: number; readonly viewer: number };

  constructor(stage: Stage, plan: Plan) {
    this.#stage = stage;
    this.#plan = plan;
    const { sender, viewer } = stage.pair;
    for (const tab of [sender, viewer]) {
      tab.forget();
      tab.onNews = (news) => this.#note(`${tab.who}: ${news}`);
    }
    this.#loadsBefore = { sender: sender.loads, viewer: viewer.loads };
  }

  async play(): Promise<Result> {
    const { sender, viewer } = this.#stage.pair;
    const events = this.#plan.events.map((planned) => this.#await(planned));
    await Promise.all([
      this.#live("sender", () => this.#senderTurn()),
      this.#live("viewer", () => this.#viewerTurn()),
    ]);
    this.#over.resolve();
    await Promise.all(events);
    const [a, b] = [await sender.read(), await viewer.read()];
    const problems = this.#judge(a.verdict, b.verdict);
    if (problems.length > 0) {
      this.#note(`sender reads: ${a.text}`);
      this.#note(`viewer reads: ${b.text}`);
    }
    return {
      plan: this.#plan,
      outcome: this.#outcome(a.verdict),
      said: [sender, viewer].map((tab, i) => {
        const { verdict } = [a, b][i] ?? a;
        return `${tab.who} ${tab.phase ?? "gone"}${
          tab.reason === null ? "" : `/${tab.reason}`
        }: ${verdict}`;
      }).join(", "),
      ms: performance.now() - this.#began,
      problems,
      log: this.#log,
    };
  }

  /** Simulates one person, who looks and acts until nothing is left to do. */
  async #live(who: "sender" | "viewer", turn: () => Promise<boolean>): Promise<void> {
    while (!this.#hung) {
      if (!this.#stage.pair[who].frozen) {
        const done = await turn();
        if (done !== this.#done[who]) this.#note(`${who} is ${done ? "" : "not "}done`);
        this.#done[who] = done;
      }
      if (this.#done.sender && this.#done.viewer) return;
      if (performance.now() > this.#disturbed + PATIENCE_MS) {
        this.#hung = true;
        this.#note(`${who} gave up waiting`);
      }
      await pause(LOOK_MS);
    }
  }

  /** Returns true once there is nothing left to do. */
  async #senderTurn(): Promise<boolean> {
    const tab = this.#stage.pair.sender;
    const forgot = tab.loads > this.#chosenIn;
    switch (tab.phase) {
      case null:
        return tab.gone;
      case "idle":
        if (await tab.has(LATE)) return await this.#loadAgain(tab);
        if (this.#chosen === null || !forgot) return await this.#choose();
        // After a reload the page either continues its session or has forgotten everything.
        return await this.#stays(tab, "idle", RELOADED_MS);
      case "waiting":
      case "connected":
        if (forgot && this.#chosen !== null) return await this.#choose();
        if (tab.phase === "waiting") this.#link ??= await this.#readLink();
        break;
      case "failed":
        if (this.#joined || this.#choices >= TRIES) return true;
        await this.#think();
        this.#link = null;
        if (await tab.press("retry")) this.#choices++;
        else return !await tab.has("[data-action=retry]") && tab.phase === "failed";
        return false;
      case "ended":
        return true;
    }
    // The viewer will not join any more.
    const alone = tab.phase === "waiting" || tab.phase === "connecting";
    if (this.#done.viewer && alone) {
      await this.#think();
      if (await tab.press("leave")) this.#disturb();
    }
    return false;
  }

  async #choose(): Promise<boolean> {
    const tab = this.#stage.pair.sender;
    const { pictures } = this.#stage;
    const fitting = pictures.filter(({ large }) => large === this.#plan.large);
    const picture = fitting[(this.#plan.seed + this.#choices) % fitting.length];
    if (picture === undefined) throw new RangeError("Cannot choose: there are no pictures");
    this.#reach("create");
    const { loads } = tab;
    if (!await tab.choose(picture.path, this.#plan.seconds)) return false;
    this.#choices++;
    this.#chosen = picture;
    this.#chosenIn = loads;
    this.#note(`sender chose ${picture.name}`);
    this.#disturb();
    const until = performance.now() + RELOADED_MS;
    const { phase } = tab;
    while (tab.phase === phase && tab.loads === loads && performance.now() < until) {
      await pause(LOOK_MS);
    }
    return false;
  }

  async #readLink(): Promise<string | null> {
    const link = await this.#stage.pair.sender.value("share-link");
    return /#1\.[\w-]{43}$/.exec(link)?.[0] ?? null;
  }

  /** The link that the viewer's page was opened with, and the number of retries. */
  #opened: string | null = null;
  #presses = 0;

  /** Returns true once there is nothing left to do. */
  async #viewerTurn(): Promise<boolean> {
    const tab = this.#stage.pair.viewer;
    if (tab.gone) return true;
    if (this.#link === null) return this.#done.sender && this.#opened === null;
    if (this.#opened !== this.#link) return await this.#open(this.#link);
    switch (tab.phase) {
      case "idle":
        if (await tab.has(LATE)) return await this.#loadAgain(tab);
        if (!await tab.has("[data-action=join]:not(:disabled)")) return false;
        if (await tab.has("[data-field=code]")) return await this.#stays(tab, "idle", RELOADED_MS);
        this.#reach("join");
        await this.#think();
        if (await tab.press("join")) {
          this.#joined = true;
          this.#disturb();
        }
        return false;
      case "failed":
        if (this.#done.sender || this.#presses++ >= TRIES) return true;
        await this.#think();
        if (!await tab.press("join")) return !await tab.has("[data-action=join]");
        this.#disturb();
        return false;
      case "connected":
      case "receiving":
        this.#reach("deliver");
        return false;
      case "delivered":
        this.#reach("deliver");
        if (!await tab.has("[data-action=open]:not(:disabled)")) return false;
        this.#reach("open");
        await this.#think();
        if (await tab.press("open")) this.#disturb();
        return false;
      case "viewing":
        this.#reach("view");
        if (this.#plan.seconds > 0) return false;
        await this.#think();
        this.#reach("close");
        if (await tab.press("close")) this.#disturb();
        return false;
      case "closed":
        this.#reach("close");
        return false;
      case "ended":
        return true;
      default:
        return false;
    }
  }

  async #open(fragment: string): Promise<boolean> {
    const tab = this.#stage.pair.viewer;
    const used = tab.phase === "idle" || tab.phase === "ended" || tab.phase === "failed";
    if (used) await tab.follow(fragment);
    else await tab.visit(`${tab.line.url}/join${fragment}`, this.#disturbed + PATIENCE_MS);
    this.#opened = fragment;
    // The phase shown before belongs to the previous session.
    const until = performance.now() + RELOADED_MS;
    while (tab.phase !== "idle" && performance.now() < until) await pause(LOOK_MS);
    return false;
  }

  /** Whether a page stays in a phase for that long. */
  async #stays(tab: Tab, phase: string, ms: number): Promise<boolean> {
    const until = performance.now() + ms;
    const { loads } = tab;
    while (performance.now() < until) {
      if (tab.phase !== phase || tab.loads !== loads) return false;
      await pause(LOOK_MS);
    }
    return true;
  }

  /** Follows the advice of a page whose scripts fail to load: reloads it. */
  async #loadAgain(tab: Tab): Promise<boolean> {
    const until = performance.now() + RELOADED_MS;
    while (await tab.has(LATE)) {
      if (performance.now() > until) break;
      await pause(LOOK_MS);
    }
    if (!await tab.has(LATE)) return false;
    this.#note(`${tab.who} loads a page again that does nothing`);
    this.#disturb();
    await tab.reload(this.#disturbed + PATIENCE_MS);
    return false;
  }

  #think(): Promise<void> {
    return pause(this.#plan.think);
  }

  #moment(at: Moment): PromiseWithResolvers<void> {
    const known = this.#moments.get(at);
    if (known !== undefined) return known;
    const made = Promise.withResolvers<void>();
    this.#moments.set(at, made);
    return made;
  }

  #reach(at: Moment): void {
    this.#moment(at).resolve();
  }

  #disturb(until = performance.now()): void {
    this.#disturbed = Math.max(this.#disturbed, until);
  }

  #note(what: string): void {
    this.#log.push(`${((performance.now() - this.#began) / 1_000).toFixed(2)} ${what}`);
  }

  /** Runs an event when its moment has come; skips it if the session ends before. */
  async #await({ at, after, event }: Planned): Promise<void> {
    const over = this.#over.promise.then(() => true);
    if (await Promise.race([this.#moment(at).promise.then(() => false), over])) return;
    if (await Promise.race([pause(after).then(() => false), over])) return;
    const { what, ...rest } = event;
    this.#note(`! ${what} ${JSON.stringify(rest)}`);
    try {
      await this.#happen(event);
    } catch (error) {
      const why = `${what} could not be: ${error instanceof Error ? error.message : error}`;
      this.#note(`! ${why}`);
      // The rest of the run would be played without a server.
      if (what === "restart" || what === "redis") this.#failures.push(why);
    }
    this.#note(`! ${what} is over`);
    this.#disturb();
  }

  async #happen(event: Happening): Promise<void> {
    const { pair, world } = this.#stage;
    if ("ms" in event) this.#disturb(performance.now() + event.ms);
    switch (event.what) {
      case "cut":
        for (const who of event.who) world.lines[who].cut();
        return;
      case "trouble": {
        const draw = seededRandom(this.#plan.seed);
        world.lines[event.who].trouble(event.how, () => draw() / 2 ** 32);
        await this.#lasts(event.ms);
        return world.lines[event.who].calm();
      }
      case "restart":
        return await world.restart(event.server, event.signal, event.ms);
      case "redis":
        return await world.restartRedis(event.ms);
      case "offline": {
        const tab = pair[event.who];
        if (tab.gone) return;
        await Promise.all([tab.offline(true), this.#cutDirect(true)]);
        await this.#lasts(event.ms);
        await Promise.all([tab.gone ? null : tab.offline(false), this.#cutDirect(false)]);
        return;
      }
      case "direct":
        await this.#cutDirect(true);
        await this.#lasts(event.ms);
        return await this.#cutDirect(false);
      case "freeze": {
        const tab = pair[event.who];
        if (tab.gone || tab.frozen) return;
        await tab.freeze(true);
        await this.#lasts(event.ms);
        if (!tab.gone) await tab.freeze(false);
        return;
      }
      case "reload": {
        const tab = pair[event.who];
        if (tab.gone || tab.frozen || tab.loads === 0) return;
        return await tab.reload(this.#disturbed + PATIENCE_MS);
      }
      case "vanish":
        if (!pair[event.who].gone) await pair[event.who].vanish();
        return;
      case "burn":
        if (!pair.sender.gone) await pair.sender.press("burn");
        return;
      case "leave":
        if (!pair[event.who].gone) await pair[event.who].press("leave");
        return;
      default:
        event satisfies never;
    }
  }

  /** Waits that long, or until the session is over. */
  async #lasts(ms: number): Promise<void> {
    await Promise.race([pause(ms), this.#over.promise]);
  }

  async #cutDirect(on: boolean): Promise<void> {
    this.#cuts += on ? 1 : -1;
    await this.#stage.pair.udp.set({ loss: this.#cuts > 0 ? 1 : 0 });
  }

  #outcome(sender: Verdict): Outcome {
    if (sender !== "forgotten") return sender;
    return this.#stage.pair.viewer.shown.size > 0 ? "seen" : "unseen";
  }

  /** Returns what went wrong. */
  #judge(said: Verdict, read: Verdict): string[] {
    const { sender, viewer } = this.#stage.pair;
    const problems = [...this.#failures];
    if (this.#hung) {
      problems.push("a page hangs: the grace is over, and it does not say how it ended");
    }
    for (const [picture, times] of viewer.drawn) {
      if (times > 1) problems.push(`${picture} was shown ${times} times`);
    }
    const chosen = this.#chosen?.name ?? "";
    const shown = viewer.shown.has(chosen);
    const drawn = viewer.drawn.has(chosen);
    if (said === "seen" && !drawn) {
      problems.push("the sender reads that it was seen, and it was not");
    }
    if (said === "unseen" && shown) {
      problems.push("the sender reads that it was not seen, and it was");
    }
    const stayed = !sender.gone && sender.loads === this.#chosenIn;
    if (said === "forgotten" && stayed && this.#chosen !== null) {
      problems.push("the sender does not read what became of the picture");
    }
    // A viewer who reloaded the page or opened it twice reads about the last picture only; one who
    // never got a link reads about an earlier session.
    const whole = this.#opened !== null && viewer.loads - this.#loadsBefore.viewer <= 1 &&
      this.#choices <= 1;
    // A frame that was about to be displayed when all was closed may have been seen, and both are
    // told so.
    if (whole && read === "seen" && !drawn) {
      problems.push("the viewer reads “seen”, and it was not");
    }
    if (whole && read === "unseen" && shown) {
      problems.push("the viewer reads “not seen”, and it was");
    }
    if (read === "forgotten" && shown && !viewer.gone && viewer.loads === viewer.shownIn) {
      problems.push("the viewer does not read what became of the picture");
    }
    for (const { testPage, who } of [sender, viewer]) {
      for (const error of testPage.errors.splice(0)) {
        if (/^uncaught/.test(error)) problems.push(`${who}: ${error}`);
      }
    }
    return problems.length === 0 ? [] : [...problems, describe(this.#plan)];
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
