/**
 * What a tab keeps of its session, so that a page that was reloaded or discarded continues where it
 * was. It is kept in sessionStorage, which is deleted with the tab. Browsers also write
 * sessionStorage to disk, so secrets are sealed under a key of two halves. The tab has one half.
 * The server has the other, and forgets it with the room (e2e/tab_seal.ts). No picture is kept, and
 * no key of one.
 *
 *     path, rtok      where the seat is, and what takes it back
 *     tab, box        this half of the key, and what it seals: {@linkcode Kept}
 *     last            what became of the picture that was opened last; there is no time to seal
 *                     it when the page is unloaded
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
import type { KeptConnection, ReloadStore, SeatMemo } from "../connection/kept_connection.ts";
import { type Ledger, NO_LEDGER } from "../pictures/outbox.ts";
import type { Outgoing } from "../pictures/outgoing.ts";
import { memoryKey } from "./tab_key.ts";
import type { Seen } from "../pictures/inbox.ts";

/** The sealed part. */
export interface Kept extends KeptConnection {
  readonly ledger: Ledger;
  /**
   * Whether the session continues after its last picture, and whether the viewer was ever told so.
   */
  readonly keep: boolean;
  readonly mayAnswer: boolean;
  /** Whether this side's address stays hidden. */
  readonly hide: boolean;
}

/** What a reloaded page continues with. */
export interface Returned extends Kept {
  readonly rtok: string;
  /** The sealed part as stored, so that it can be stored again with the next token at once. */
  readonly sealed: { readonly tab: Bytes; readonly box: Box };
  readonly last: LastSeen | undefined;
}

/** Longest text of either part, in characters. */
const MAX_LENGTH = 16_384;

/** The sealed part in base64url, and the room's half of its key. */
interface Box {
  readonly text: string;
  readonly salt: string;
}

/** The stored entry, which is not sealed itself. */
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
  handshakes: 0,
  resumed: null,
  bound: false,
  ledger: NO_LEDGER,
  keep: false,
  mayAnswer: false,
  hide: false,
};

/** The memory of one session. */
export class TabMemory implements ReloadStore {
  readonly #key: string;
  readonly #tab: Bytes;
  #state: Partial<Kept> = FRESH;
  #memo: SeatMemo | null = null;
  #box: Box | null = null;
  #last: Seen | undefined;
  #sealing: Promise<void> = Promise.resolve();
  #over = false;

  /** `before`: what this tab kept before a reload. */
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
    // The previous token becomes invalid once this socket sends anything, so what is already sealed
    // is stored with the new one at once.
    if (this.#box !== null && this.#box.salt === memo.salt) return this.#write();
    this.#seal();
  }

  async keep(changed: Partial<Kept>): Promise<void> {
    this.#state = { ...this.#state, ...changed };
    await this.#seal();
  }

  /** Stores what became of the picture that was opened last, at once. */
  seen(last: Seen): void {
    this.#last = last;
    this.#write();
  }

  /** Deletes everything, and keeps nothing from now on. */
  forget(): void {
    this.#over = true;
    wipe(this.#tab);
    forget(this.#key);
  }

  /** Seals the current state, after any sealing in progress. */
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
    // The room was created anew, and nothing is sealed under its new salt yet.
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
    // Storage is blocked or full: then the session is lost with a reload.
  }
}

/** What this tab kept before a reload. */
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

  /** Reads the tab's entry; `null` if there is none or it is invalid. */
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

  /** Whether a picture was opened before the reload. */
  get opened(): boolean {
    return this.#entry.last !== undefined;
  }

  /** Opens the sealed part with what the server sent for the seat. `null` if it can't be opened. */
  async open({ rtok, salt }: { rtok: string; salt: string }): Promise<Returned | null> {
    const { tab, box, last } = this.#entry;
    const halves = parseHalves(tab, salt);
    const bytes = fromBase64Url(box);
    if (halves === null || bytes === null) return null;
    // The previous token is valid until this page sends something in the seat. After that, another
    // reload needs this one.
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
 * A picture that was on screen when the page was unloaded was closed then. Its viewing time is
 * taken to last until now, which is an upper bound.
 */
function settle({ n, why, ms, since }: Seen): LastSeen {
  const until = since === undefined ? ms : Math.max(0, Date.now() - since);
  return { n, why, ms: Math.min(until, MAX_REPORT_MS) };
}

function forget(key: string): void {
  try {
    sessionStorage.removeItem(key);
  } catch {
    // Storage is blocked, so nothing was kept either.
  }
}

/** Encodes bytes as base64url. A link's secret becomes a string, a code stays an object. */
function encode(kept: Kept): string {
  const { secret, owner, resumed } = kept;
  return JSON.stringify({
    ...kept,
    secret: secret instanceof Uint8Array ? toBase64Url(secret) : secret,
    owner: owner && toBase64Url(owner),
    resumed: resumed && {
      resume: toBase64Url(resumed.resume),
      by: resumed.by,
      sas: toBase64Url(resumed.sas),
    },
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

/** Validated because another version of this page may have sealed it. */
function parseKept(text: string): Kept | null {
  const value = parseObject(text, MAX_LENGTH) ?? {};
  const { bound, keep, mayAnswer, hide, misses, handshakes } = value;
  const secret = isBase64Url(value["secret"], 32)
    ? fromBase64Url(value["secret"])
    : parseCode(value["secret"]);
  const ledger = parseLedger(value["ledger"]);
  const flags = [bound, keep, mayAnswer, hide];
  if (secret === null || ledger === null) return null;
  if (!isCount(misses, Infinity) || !isCount(handshakes, Infinity)) return null;
  if (!flags.every((flag) => typeof flag === "boolean")) return null;
  return {
    secret,
    owner: parseBytes(value["owner"]),
    code: misses >= MAX_CODE_GUESSES ? null : parseCode(value["code"]),
    misses,
    handshakes,
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
  const { resume, by, sas } = toRecord(value);
  if (!isBase64Url(resume, 32) || !isBase64Url(sas, 6)) return null;
  const secrets = { resume: fromBase64Url(resume), sas: fromBase64Url(sas) };
  if (secrets.resume === null || secrets.sas === null || (by !== "link" && by !== "code")) {
    return null;
  }
  return { resume: secrets.resume, by, sas: secrets.sas };
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

/** The state of a picture that was opened or is finished; `null` for any other value. */
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
