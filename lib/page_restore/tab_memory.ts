/**
 * What a tab keeps of its session, so that a page which is loaded again, or was discarded, goes on
 * where it was: in sessionStorage, which goes with the tab. Browsers write that to a disk as well,
 * so whatever is secret is sealed under a key of which the server has the other half, and forgets
 * it with the room (e2e/tab_seal.ts). No picture is in it, nor a key of one.
 *
 *     path, rtok      where the seat is, and what takes it back
 *     tab, box        this half of the key, and what it seals: {@linkcode Kept}
 *     last            what became of the picture that was opened last; a page that goes away has no time to seal it
 *
 * This module is browser compatible.
 *
 * @module
 */
import { type Bytes, fromBase64Url, isBase64Url, toBase64Url } from "../protocol/bytes.ts";
import { ABORT_CODES, CLOSED_REASONS, type LastSeen } from "../protocol/control.ts";
import { MAX_CODE_GUESSES, MAX_IMAGES, MAX_REPORT_MS } from "../protocol/limits.ts";
import { CODE_PATTERN, parseObject, ROOM_PATTERN } from "../protocol/signaling.ts";
import type { Code } from "../e2e/code.ts";
import type { ResumeSecret } from "../e2e/handshake.ts";
import { ProtocolError, randomBytes, wipe } from "../e2e/suite.ts";
import { openForTab, sealForTab, type TabHalves } from "../e2e/tab_seal.ts";
import type { Role } from "../e2e/transcript.ts";
import type { Keeper, KeptConnection, SeatMemo } from "../connection/kept_connection.ts";
import { type Ledger, NO_LEDGER } from "../pictures/outbox.ts";
import type { Outgoing } from "../pictures/outgoing.ts";
import { memoryKey } from "./tab_key.ts";
import type { Seen } from "../pictures/inbox.ts";

/** Everything that is sealed. */
export interface Kept extends KeptConnection {
  readonly ledger: Ledger;
  /**
   * Whether the session goes on after its last picture, and whether the viewer was ever told so.
   */
  readonly keep: boolean;
  readonly mayAnswer: boolean;
  /** Whether this side's address stays hidden. */
  readonly hide: boolean;
}

/** What the next page goes on with. */
export interface Returned extends Kept {
  readonly rtok: string;
  /** The same as it lies in the tab, so that the next token can be put beside it at once. */
  readonly sealed: { readonly tab: Bytes; readonly box: Box };
  readonly last: LastSeen | undefined;
}

/** Longest text of either part, in characters. */
const MAX_LENGTH = 16_384;

/** What is sealed, in base64url, and the room's half of the key to it. */
interface Box {
  readonly text: string;
  readonly salt: string;
}

/** What lies open in the tab. */
interface Entry {
  readonly path: string;
  readonly rtok: string;
  /** 32 bytes in base64url. */
  readonly tab: string;
  readonly box: string;
  readonly last?: Seen;
}

const FRESH: Omit<Kept, "secret"> = {
  owner: null,
  code: null,
  misses: 0,
  resumed: null,
  bound: false,
  ledger: NO_LEDGER,
  keep: false,
  mayAnswer: false,
  hide: false,
};

/** The memory of one session. */
export class TabMemory implements Keeper {
  readonly #key: string;
  readonly #tab: Bytes;
  #state: Partial<Kept> = FRESH;
  #memo: SeatMemo | null = null;
  #box: Box | null = null;
  #last: Seen | undefined;
  #sealing: Promise<void> = Promise.resolve();
  #over = false;

  /** `before`: what a page before this one kept. */
  constructor(role: Role, before?: Returned) {
    this.#key = memoryKey(role);
    this.#tab = before?.sealed.tab ?? randomBytes(32);
    if (before !== undefined) {
      const { rtok: _, last, sealed, ...state } = before;
      this.#state = state;
      this.#last = last;
      this.#box = sealed.box;
    }
  }

  seated(memo: SeatMemo): void {
    this.#memo = memo;
    // The token of before is worth nothing once this socket says anything: what is sealed already
    // goes on with this one at once.
    if (this.#box !== null && this.#box.salt === memo.salt) return this.#write();
    this.#seal();
  }

  async keep(changed: Partial<Kept>): Promise<void> {
    this.#state = { ...this.#state, ...changed };
    await this.#seal();
  }

  /** Takes note of the picture that was opened last, at once. */
  seen(last: Seen): void {
    this.#last = last;
    this.#write();
  }

  /** Nothing is kept any more. */
  forget(): void {
    this.#over = true;
    wipe(this.#tab);
    forget(this.#key);
  }

  /** One after the other, and each with what is known by then. */
  #seal(): Promise<void> {
    return this.#sealing = this.#sealing.then(async () => {
      const memo = this.#memo;
      const { secret } = this.#state;
      const salt = fromBase64Url(memo?.salt ?? "");
      if (this.#over || memo?.salt === undefined || salt === null || secret === undefined) return;
      const text = encode({ ...FRESH, ...this.#state, secret });
      const sealed = await sealForTab({ tab: this.#tab, salt }, text);
      this.#box = { text: toBase64Url(sealed), salt: memo.salt };
      this.#write();
    });
  }

  #write(): void {
    const { path, rtok, salt } = this.#memo ?? {};
    if (this.#over || path === undefined || rtok === undefined || this.#box === null) return;
    // The room was made anew, and what is sealed under its new salt is not here yet.
    if (this.#box.salt !== salt) return;
    const entry: Entry = {
      path,
      rtok,
      tab: toBase64Url(this.#tab),
      box: this.#box.text,
      ...(this.#last === undefined ? {} : { last: this.#last }),
    };
    store(this.#key, entry);
  }
}

function store(key: string, entry: Entry): void {
  try {
    sessionStorage.setItem(key, JSON.stringify(entry));
  } catch {
    // Storage is blocked or full: then a page that is loaded again has forgotten its session.
  }
}

/** What a page before this one left in this tab. */
export class Remains {
  readonly path: string;
  readonly rtok: string;
  readonly #key: string;
  readonly #entry: Entry;

  private constructor(key: string, entry: Entry) {
    this.path = entry.path;
    this.rtok = entry.rtok;
    this.#key = key;
    this.#entry = entry;
  }

  /** `null` where there is nothing that can be read. */
  static find(role: Role): Remains | null {
    const key = memoryKey(role);
    try {
      const entry = parseEntry(sessionStorage.getItem(key) ?? "");
      if (entry === null) forget(key);
      return entry === null ? null : new Remains(key, entry);
    } catch {
      return null;
    }
  }

  /** Whether a picture was opened on that page. */
  get opened(): boolean {
    return this.#entry.last !== undefined;
  }

  /** Opens it with what the server gave together with the seat. `null` where it can't be opened. */
  async open({ rtok, salt }: { rtok: string; salt: string }): Promise<Returned | null> {
    const { tab, box, last } = this.#entry;
    const halves = parseHalves(tab, salt);
    const bytes = fromBase64Url(box);
    if (halves === null || bytes === null) return null;
    // The token of before is good until somebody is heard of in the seat: the page after this one
    // needs this one.
    store(this.#key, { ...this.#entry, rtok });
    try {
      const kept = parseKept(await openForTab(halves, bytes));
      if (kept === null) return null;
      const sealed = { tab: halves.tab, box: { text: box, salt } };
      return { ...kept, rtok, last: last && settle(last), sealed };
    } catch (error) {
      if (error instanceof ProtocolError) return null;
      throw error;
    }
  }

  forget(): void {
    forget(this.#key);
  }
}

/**
 * What was on screen when the page went away was closed then, and how long it had been there is
 * known as far as this.
 */
function settle({ n, why, ms, since }: Seen): LastSeen {
  const until = since === undefined ? ms : Math.max(0, Date.now() - since);
  return { n, why, ms: Math.min(until, MAX_REPORT_MS) };
}

function forget(key: string): void {
  try {
    sessionStorage.removeItem(key);
  } catch {
    // Then nothing was kept either.
  }
}

/** Bytes as base64url, by which they are known again: `secret` is an object where it is a code. */
function encode(kept: Kept): string {
  const { secret, owner, resumed } = kept;
  return JSON.stringify({
    ...kept,
    secret: secret instanceof Uint8Array ? toBase64Url(secret) : secret,
    owner: owner && toBase64Url(owner),
    resumed: resumed && { resume: toBase64Url(resumed.resume), by: resumed.by },
  });
}

function parseHalves(tab: string, salt: string): TabHalves | null {
  const halves = { tab: fromBase64Url(tab), salt: fromBase64Url(salt) };
  return halves.tab === null || halves.salt === null
    ? null
    : { tab: halves.tab, salt: halves.salt };
}

function parseEntry(text: string): Entry | null {
  const { path, rtok, tab, box, last } = parseObject(text, MAX_LENGTH) ?? {};
  if (typeof path !== "string" || !(ROOM_PATTERN.test(path) || CODE_PATTERN.test(path))) {
    return null;
  }
  if (!isBase64Url(rtok, 32) || !isBase64Url(tab, 32) || typeof box !== "string") return null;
  const entry = { path, rtok, tab, box };
  const seen = parseSeen(last);
  return seen === null ? entry : { ...entry, last: seen };
}

function parseSeen(value: unknown): Seen | null {
  const { n, why, ms, since } = toRecord(value);
  const reason = CLOSED_REASONS.find((item) => item === why);
  if (!isCount(n, MAX_IMAGES - 1) || reason === undefined || !isCount(ms, MAX_REPORT_MS)) {
    return null;
  }
  const seen = { n, why: reason, ms };
  return isCount(since, Number.MAX_SAFE_INTEGER) ? { ...seen, since } : seen;
}

/** This side sealed it, but perhaps another version of it. */
function parseKept(text: string): Kept | null {
  const value = parseObject(text, MAX_LENGTH) ?? {};
  const { bound, keep, mayAnswer, hide, misses } = value;
  const secret = isBase64Url(value["secret"], 32)
    ? fromBase64Url(value["secret"])
    : parseCode(value["secret"]);
  const ledger = parseLedger(value["ledger"]);
  const flags = [bound, keep, mayAnswer, hide];
  if (secret === null || ledger === null || !isCount(misses, Infinity)) return null;
  if (!flags.every((flag) => typeof flag === "boolean")) return null;
  return {
    secret,
    owner: parseBytes(value["owner"]),
    code: misses >= MAX_CODE_GUESSES ? null : parseCode(value["code"]),
    misses,
    resumed: parseResumed(value["resumed"]),
    ledger,
    bound: bound === true,
    keep: keep === true,
    mayAnswer: mayAnswer === true,
    hide: hide === true,
  };
}

function parseBytes(value: unknown): Bytes | null {
  return isBase64Url(value, 32) ? fromBase64Url(value) : null;
}

function parseCode(value: unknown): Code | null {
  const { digits, words } = toRecord(value);
  if (typeof digits !== "string" || typeof words !== "string") return null;
  return CODE_PATTERN.test(digits) ? { digits, words } : null;
}

function parseResumed(value: unknown): ResumeSecret | null {
  const { resume, by } = toRecord(value);
  const bytes = parseBytes(resume);
  return bytes !== null && (by === "link" || by === "code") ? { resume: bytes, by } : null;
}

function parseLedger(value: unknown): Ledger | null {
  const { states, openedAt, pending } = toRecord(value);
  if (!Array.isArray(states) || states.length > MAX_IMAGES) return null;
  if (!isCount(openedAt, Number.MAX_SAFE_INTEGER) || typeof pending !== "boolean") return null;
  const known: Outgoing[] = [];
  for (const item of states) {
    const state = parseOutgoing(item);
    if (state === null) return null;
    known.push(state);
  }
  return { states: known, openedAt, pending };
}

/** A picture that was opened or is finished; `null` for any other. */
function parseOutgoing(value: unknown): Outgoing | null {
  const { at, why, ms, code, opened } = toRecord(value);
  switch (at) {
    case "opened":
    case "shown":
    case "burned":
    case "unreadable":
    case "unconfirmed":
      return { at };
    case "closed": {
      const reason = CLOSED_REASONS.find((item) => item === why);
      return reason !== undefined && isCount(ms, MAX_REPORT_MS) ? { at, why: reason, ms } : null;
    }
    case "refused": {
      const known = ABORT_CODES.find((item) => item === code);
      return known !== undefined && typeof opened === "boolean"
        ? { at, code: known, opened }
        : null;
    }
    default:
      return null;
  }
}

function toRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function isCount(value: unknown, max: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= max;
}
