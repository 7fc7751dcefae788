/**
 * What the server sees, and what both browsers keep: every byte of a whole session that reaches the
 * server or its log, in both directions, and whatever remains in the two browsers and on their
 * disks, searched for everything that only the two people may know.
 *
 * The searches are checked as well: what the server has to be told is searched for in the same way
 * and has to be found, and each secret is found in a copy of the record where it was planted, in
 * every encoding.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { get } from "node:http";
import { basename, join } from "node:path";
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import { startApp } from "../support/app.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { launchBrowser, type TestBrowser, TestPage } from "../support/browser.ts";
import type { Fixture } from "../support/fixtures.ts";
import { Sender, Viewer } from "../support/flow.ts";
import { CORNERS, pngOfSize } from "../support/image_bytes.ts";
import { clientFrame, type Exchange, Recorder, understand } from "../support/recorder.ts";
import {
  ENCODINGS,
  latin1,
  latin1Bytes,
  type Needle,
  type Part,
  search,
} from "../support/search.ts";
import { fromBase64Url } from "../../lib/protocol/bytes.ts";

/** Random pixels, stored uncompressed: no other file contains this noise. */
const PICTURE_BYTES = 300_000;
/** The bytes at the beginning and the end of every PNG. */
const PNG_FRAME = 64;

const MARK = "only-for-ada-lovelace";

/**
 * Chromium saves the contents of a page's fields one second after a change, to restore the session
 * after a crash.
 */
const FORM_STATE_MS = 1_500;

/** What ML-KEM draws for a key pair, and for an encapsulation, in bytes (FIPS 203: d ‖ z, m). */
const KEM_SEED = 64;
const KEM_MESSAGE = 32;

/** What a page knows, as recorded by {@linkcode spy}. */
interface Known {
  /** Where it was seen. */
  readonly what: string;
  readonly hex: string;
}

/**
 * Records every secret that passes through the page's APIs. Runs in the page before its scripts, so
 * it must be self-contained.
 */
function spy(): void {
  const known: Known[] = [];
  Object.defineProperty(globalThis, "__known", { value: known });
  const note = (what: string, data: BufferSource | string) => {
    const bytes = typeof data === "string"
      ? new TextEncoder().encode(data)
      : ArrayBuffer.isView(data)
      ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      : new Uint8Array(data);
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    if (hex !== "") known.push({ what, hex });
  };
  /** Replaces a method by `instead`; `original` calls the replaced one. */
  const replace = (
    target: object,
    name: string,
    // deno-lint-ignore no-explicit-any -- arguments of any method
    instead: (original: (...args: any[]) => any, args: any[]) => unknown,
  ) => {
    const method = Reflect.get(target, name);
    if (typeof method !== "function") throw new TypeError(`Cannot watch ${name}: not there`);
    Reflect.set(target, name, function (this: unknown, ...args: unknown[]) {
      return instead((...a) => Reflect.apply(method, this, a), args);
    });
  };
  const subtle = SubtleCrypto.prototype;
  const nameOf = (algorithm: string | { name: string }) =>
    typeof algorithm === "string" ? algorithm : algorithm.name;
  replace(subtle, "importKey", (original, args) => {
    const [format, data, algorithm] = args;
    const name = nameOf(algorithm);
    // The others are public keys.
    if (format === "raw" && name !== "ECDH") note(`key of ${name}`, data);
    return original(...args);
  });
  replace(subtle, "deriveBits", async (original, args) => {
    const [{ name, info }] = args;
    const bits = await original(...args);
    note(info === undefined ? `secret of ${name}` : new TextDecoder().decode(info), bits);
    return bits;
  });
  if ("encapsulateBits" in subtle) {
    replace(subtle, "encapsulateBits", async (original, args) => {
      const result = await original(...args);
      note("secret of ML-KEM", result.sharedKey);
      return result;
    });
    replace(subtle, "decapsulateBits", async (original, args) => {
      const bits = await original(...args);
      note("secret of ML-KEM", bits);
      return bits;
    });
  } else {
    // ML-KEM in JavaScript can't be observed, but all that it makes follows from what it draws.
    replace(Crypto.prototype, "getRandomValues", (original, args) => {
      const bytes = original(...args);
      note("random", bytes);
      return bytes;
    });
  }
  const { exportKey } = subtle;
  replace(subtle, "generateKey", async (original, [algorithm, , usages]) => {
    // Exported only to be searched for.
    const pair = await original(algorithm, true, usages);
    if (nameOf(algorithm) === "ECDH") {
      const { d } = await Reflect.apply(exportKey, crypto.subtle, ["jwk", pair.privateKey]);
      const binary = atob(d.replaceAll("-", "+").replaceAll("_", "/"));
      note("private key of ECDH", Uint8Array.from(binary, (c) => c.charCodeAt(0)));
    } else {
      const seed = await Reflect.apply(exportKey, crypto.subtle, ["raw-seed", pair.privateKey]);
      note("private key of ML-KEM", seed);
    }
    return pair;
  });
  replace(subtle, "exportKey", async (original, args) => {
    const bytes = await original(...args);
    // ML-KEM keys are generated once more, to see whether the browser supports it.
    if (args[0] === "raw") note("public key", bytes);
    return bytes;
  });
  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      this.addEventListener("icecandidate", ({ candidate }) => {
        note("candidate", candidate?.candidate ?? "");
        note("address of a candidate", candidate?.address ?? "");
      });
    }
    override setLocalDescription(description?: RTCLocalSessionDescriptionInit): Promise<void> {
      for (const line of description?.sdp?.split("\r\n") ?? []) {
        if (line.length >= 8) note("line of SDP", line);
        const [, fingerprint = ""] = /^a=fingerprint:sha-256 (.*)$/.exec(line) ?? [];
        note("fingerprint", fingerprint);
        note("fingerprint in small letters", fingerprint.toLowerCase());
      }
      return super.setLocalDescription(description);
    }
  };
  for (const name of ["read", "readText", "write", "writeText"]) {
    replace(Clipboard.prototype, name, (original, args) => {
      note("clipboard", name);
      return original(...args);
    });
  }
  replace(Document.prototype, "execCommand", (original, args) => {
    note("clipboard", String(args[0]));
    return original(...args);
  });
}

async function knownTo(page: TestPage): Promise<Known[]> {
  const json: unknown = JSON.parse(
    String(await page.page.evaluate("JSON.stringify(globalThis.__known)")),
  );
  assert(Array.isArray(json) && json.length > 0, "the page's secrets were noted");
  return json.map(({ what, hex }) => ({ what: String(what), hex: String(hex) }));
}

/**
 * Replaces the random bytes drawn by ML-KEM in JavaScript by what it made of them: private keys, as
 * seeds and in full, and the secrets of those encapsulations that keys of the session were derived
 * from.
 */
function withJavascriptKem(known: readonly Known[]): Known[] {
  const drawn = (length: number) =>
    known.filter(({ what, hex }) => what === "random" && hex.length === 2 * length)
      .map(({ hex }) => new Uint8Array(Buffer.from(hex, "hex")));
  const keyMaterial = known.filter(({ what }) => what === "key of HKDF");
  const made: Known[] = [];
  const note = (what: string, bytes: Uint8Array) =>
    made.push({ what, hex: Buffer.from(bytes).toString("hex") });
  for (const seed of drawn(KEM_SEED)) {
    const { publicKey, secretKey } = ml_kem768.keygen(seed);
    note("private key of ML-KEM", seed);
    // The public key, its hash and z follow.
    note("private key of ML-KEM", secretKey.subarray(0, -publicKey.length - 2 * KEM_MESSAGE));
    for (const message of drawn(KEM_MESSAGE)) {
      const { sharedSecret } = ml_kem768.encapsulate(publicKey, message);
      const hex = Buffer.from(sharedSecret).toString("hex");
      if (!keyMaterial.some((material) => material.hex.includes(hex))) continue;
      note("secret of ML-KEM", sharedSecret);
      note("message of ML-KEM", message);
    }
  }
  return [...known.filter(({ what }) => what !== "random"), ...made];
}

/** How the viewer joins. */
type Way = "link" | "code";

/** Derived from the link's secret, or made for the other side; the server is meant to see it. */
const TOLD: Readonly<Record<Way, readonly string[]>> = {
  link: ["img-e2e/1 room id", "img-e2e/1 join token", "public key"],
  // No viewer joins with the token.
  code: ["img-e2e/1 room id", "public key"],
};

/** What must pass through the observed APIs; otherwise observing them proves nothing. */
const NOTED = [
  "key of AES-GCM",
  "img-e2e/1 psk",
  "img-e2e/1 ctl S",
  "img-e2e/1 sas",
  "secret of ECDH",
  "secret of ML-KEM",
  "private key of ECDH",
  "private key of ML-KEM",
  "line of SDP",
  "fingerprint",
  "candidate",
  "address of a candidate",
];

/** What SDP and candidates look like, whoever made them. */
const PATTERNS: readonly Needle[] = [
  { what: "any SDP attribute", pattern: /\ba=[a-z-]+:\S/, sample: "a=mid:0" },
  { what: "any SDP", pattern: /m=application|ice-ufrag|ice-pwd/, sample: "m=application 9" },
  { what: "any candidate", pattern: /candidate:\d|typ host/, sample: "candidate:1 1 udp" },
  {
    what: "any name of mDNS",
    pattern: /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.local/,
    sample: "0c6b4d3a-1111-4222-8333-0123456789ab.local",
  },
  {
    what: "any fingerprint",
    pattern: /([0-9a-f]{2}:){15}[0-9a-f]{2}/i,
    sample: "AB:CD:EF:".repeat(10) + "AB:CD",
  },
];

/** A picture whose file has a telling name. */
async function makePicture(directory: string, name: string, seed: number): Promise<Fixture> {
  const { bytes, width, height } = pngOfSize(PICTURE_BYTES, seed);
  const path = join(directory, name);
  await Deno.writeFile(path, bytes);
  return { path, bytes: bytes.length, width, height, corners: CORNERS };
}

/** The words of a code: all of them, any two in a row, and each one. */
function wordsOf(code: string): { readonly together: Needle[]; readonly alone: Needle[] } {
  const words = code.split("-").slice(1);
  const together: Needle[] = [{ what: "the words", bytes: latin1Bytes(words.join("-")) }];
  for (const [i, next] of words.slice(1).entries()) {
    const pattern = new RegExp(`${words[i]}[^a-z]{0,3}${next}`, "i");
    together.push({ what: `words ${i} and ${i + 1}`, pattern, sample: `${words[i]} ${next}` });
  }
  const alone = words.map((word): Needle => {
    return { what: `the word ${word}`, pattern: wholeWord(word), sample: word };
  });
  return { together, alone };
}

function wholeWord(word: string): RegExp {
  return new RegExp(`(?<![A-Za-z])${word}(?![A-Za-z])`);
}

function secretsOf({ way, link, known }: Aftermath): Needle[] {
  const secret = fromBase64Url(link.slice(link.indexOf("#1.") + 3));
  assert(secret !== null, link);
  return [
    { what: "the link", bytes: latin1Bytes(link.slice(link.indexOf("#"))) },
    { what: "the link's secret", bytes: secret },
    ...needles(known.filter(({ what }) => !TOLD[way].includes(what))),
  ];
}

/** Names and pixels of pictures, and what is written over them. */
async function namesAndPixels(pictures: readonly Fixture[]): Promise<Needle[]> {
  const found: Needle[] = [{ what: "watermark", bytes: latin1Bytes(MARK) }];
  for (const { path } of pictures) {
    const name = basename(path, ".png");
    found.push({ what: `file name ${name}`, bytes: latin1Bytes(name) });
    const pixels = (await Deno.readFile(path)).subarray(PNG_FRAME, -PNG_FRAME);
    found.push({ what: `pixels of ${name}`, bytes: pixels });
  }
  return found;
}

/** Each secret once, with its length and a number, as several have the same name. */
function needles(known: readonly Known[]): Needle[] {
  const byHex = new Map(known.map(({ what, hex }) => [hex, what]));
  return [...byHex].map(([hex, what], i) => {
    const bytes = new Uint8Array(Buffer.from(hex, "hex"));
    return { what: `${what} (${bytes.length} bytes, ${i})`, bytes };
  });
}

/** Fails with everything that was found. */
function assertAbsent(
  parts: readonly Part[],
  secrets: readonly Needle[],
  where: string,
  depth?: number,
): void {
  const found = search(parts, secrets, depth);
  const list = found.map(({ what, where }) => `${what} in ${where}`);
  assertEquals([...new Set(list)], [], `${where} has what is not its business`);
}

/** Every secret in every encoding, put where the server would receive it. */
function plantAll(secrets: readonly Needle[]): { parts: Part[]; expected: string[] } {
  const parts: Part[] = [];
  const expected: string[] = [];
  const request = latin1Bytes("GET /ws/x HTTP/1.1\r\nUpgrade: websocket\r\n\r\n");
  const server = latin1Bytes("HTTP/1.1 101 Switching Protocols\r\n\r\n");
  for (const secret of secrets) {
    // A file would not fit into one message; one run of bytes is enough.
    const bytes = "bytes" in secret ? secret.bytes.subarray(0, 500) : latin1Bytes(secret.sample);
    for (const [name, encode] of Object.entries(ENCODINGS)) {
      const where = `${secret.what}, ${name}`;
      const text = Uint8Array.of(...latin1Bytes('{"t":"relay","d":"'), ...encode(bytes), 34, 125);
      const client = Uint8Array.of(...request, ...clientFrame(text));
      const heard = understand([{ client, server }]).parts;
      parts.push(...heard.map((part) => ({ ...part, where })));
      expected.push(where);
    }
  }
  return { parts, expected };
}

/** Fails unless the search finds every secret in a copy of the record where it was planted. */
function assertFindable(record: readonly Part[], secrets: readonly Needle[]): void {
  const { parts, expected } = plantAll(secrets);
  const found = new Set(
    search([...record, ...parts], secrets)
      .filter(({ what, where }) => where.startsWith(`${what}, `))
      .map(({ where }) => where),
  );
  assertEquals(expected.filter((where) => !found.has(where)), [], "planted and not found");
}

/** A page without its one part that is never the same. */
function withoutNonce(bytes: Uint8Array): string {
  return latin1(bytes).replace(/nonce="[\w+/=-]+"/g, "");
}

/** What a stranger gets for the same request. */
function fetchAs(url: string, { method, request }: Exchange): Promise<Uint8Array> {
  const [, host = ""] = /^host: (.*)\r$/im.exec(request) ?? [];
  return new Promise((resolve, reject) => {
    get(url, { method, headers: { host } }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => resolve(new Uint8Array(Buffer.concat(chunks))));
    }).on("error", reject);
  });
}

/** Everything that a page could leave behind in its browser. Runs in the page. */
async function remains() {
  const databases = await indexedDB.databases();
  const names = await caches.keys();
  // The browser records the address that a page started with, fragment included, for this page's
  // scripts alone; nobody can remove it.
  const entries = performance.getEntries().filter(({ entryType }) => entryType !== "navigation");
  return {
    kept: {
      local: Object.keys(localStorage),
      session: Object.keys(sessionStorage),
      databases: databases.map(({ name }) => name),
      caches: names,
      workers: (await navigator.serviceWorker.getRegistrations()).length,
      cookies: document.cookie,
      referrer: document.referrer,
      state: history.state,
      window: String(Reflect.get(globalThis, "name")),
    },
    addresses: [location.href, document.title, ...entries.map(({ name }) => name)],
  };
}

const NOTHING: Awaited<ReturnType<typeof remains>>["kept"] = {
  local: [],
  session: [],
  databases: [],
  caches: [],
  workers: 0,
  cookies: "",
  referrer: "",
  state: null,
  window: "",
};

/**
 * A sender's browser keeps the app: its service worker with the offline page, and the number of its
 * build. A viewer's keeps nothing.
 */
const KEPT: Readonly<Record<"sender" | "viewer", typeof NOTHING>> = {
  sender: { ...NOTHING, local: ["build", "preferences"], caches: ["offline"], workers: 1 },
  viewer: NOTHING,
};

/**
 * Fails if a page has left more than that in its browser. Returns what else can be read about it
 * there.
 */
async function assertLittleKept(
  { page }: TestPage,
  role: keyof typeof KEPT,
  { when, seated }: { when: string; seated: boolean },
): Promise<Part[]> {
  const { kept, addresses } = await page.evaluate(remains);
  // What a reloaded page needs to go on with its session, as long as there is one.
  const session = seated ? [role === "sender" ? "session S" : "session R"] : [];
  assertEquals(kept, { ...KEPT[role], session }, when);
  const client = await page.createCDPSession();
  try {
    assertEquals((await client.send("Storage.getCookies")).cookies, [], when);
    const { entries } = await client.send("Page.getNavigationHistory");
    const texts = [...addresses, ...entries.flatMap(({ url, title }) => [url, title])];
    const parts: Part[] = [{
      where: `${when}: its addresses`,
      bytes: latin1Bytes(texts.join("\n")),
    }];
    await client.send("Page.enable");
    const { frameTree } = await client.send("Page.getResourceTree");
    assert(frameTree.resources.length > 0, "resources are listed");
    for (const { url, type } of frameTree.resources) {
      // Static files that DevTools lists and can't show.
      if (type === "Manifest" || type === "Font") continue;
      const { id: frameId } = frameTree.frame;
      const { content, base64Encoded } = await client.send("Page.getResourceContent", {
        frameId,
        url,
      });
      const bytes = base64Encoded ? Buffer.from(content, "base64") : latin1Bytes(content);
      parts.push({ where: `${when}: resource ${url}`, bytes: new Uint8Array(bytes) });
    }
    return parts;
  } finally {
    await client.detach();
  }
}

/** All files below a directory. */
async function filesOf(directory: string): Promise<Part[]> {
  const parts: Part[] = [];
  for await (const { name, isDirectory, isFile } of Deno.readDir(directory)) {
    const path = `${directory}/${name}`;
    if (isDirectory) parts.push(...await filesOf(path));
    if (isFile) parts.push({ where: path, bytes: await Deno.readFile(path) });
  }
  return parts;
}

/**
 * What pages can write to on a disk. The browser's other files record where somebody went, and no
 * page can remove that.
 */
const OF_PAGES = new RegExp(
  "/(Cache|Code Cache|Cookies|File System|IndexedDB|Local Storage|Network|Service Worker|" +
    "Session Storage|WebStorage|blob_storage)\\b",
);

/** A person with a browser and a profile on disk of their own, as people have them. */
class Somebody implements AsyncDisposable {
  readonly page: TestPage;
  readonly #browser: TestBrowser;
  readonly #profile: string;

  private constructor(browser: TestBrowser, page: TestPage, profile: string) {
    this.#browser = browser;
    this.page = page;
    this.#profile = profile;
  }

  static async arrive(profile: string, args: readonly string[] = []): Promise<Somebody> {
    const browser = await launchBrowser({ args: [`--user-data-dir=${profile}`, ...args] });
    const before = `(${spy})();`;
    const page = await TestPage.create(browser.browser.defaultBrowserContext(), { before });
    return new Somebody(browser, page, profile);
  }

  /** Closes the browser. Returns what is on its disk. */
  async depart(): Promise<Part[]> {
    this.page.assertNoErrors();
    await this.#browser.close();
    return await filesOf(this.#profile);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#browser.close();
  }
}

/** What can be known about a session that is over. */
interface Aftermath {
  readonly way: Way;
  readonly url: string;
  readonly link: string;
  readonly code: string;
  readonly known: readonly Known[];
  /** What the server was told and what it answered, without what it sends to everybody. */
  readonly record: readonly Part[];
  readonly exchanges: readonly Exchange[];
  readonly log: Part;
  /** What could be read about both pages in their browsers, at each step. */
  readonly browsers: readonly Part[];
  readonly disks: readonly Part[];
}

/** A run of five letters hardly ever appears in random ones by chance. */
const TELLING_LETTERS = 5;

/** How often three words may be drawn until they are distinctive: four draws in ten are. */
const DRAWS = 40;

/**
 * Offers a picture until the words of its code are distinctive: they can be in a record only
 * because somebody sent them, and not in a header, a message, or by chance. `heard` is what the
 * server received so far.
 */
async function offer(sender: Sender, picture: Fixture, heard: () => string) {
  const texts = ["signaling.ts", "close_codes.ts"].map((name) =>
    Deno.readTextFile(new URL(`../../lib/protocol/${name}`, import.meta.url))
  );
  const protocol = (await Promise.all(texts)).join("\n");
  for (let draw = 0; draw < DRAWS; draw++) {
    // Recorded before these words were drawn; the first draw only shows what a session sends
    // anyway.
    const anyway = heard() + protocol;
    await sender.startOver();
    await sender.keepOpen();
    await sender.page.$eval("input[name=mark]", (element, mark) => {
      (element as HTMLInputElement).value = mark;
      element.dispatchEvent(new Event("input", { bubbles: true }));
    }, MARK);
    const link = await sender.offer(picture, { seconds: 60 });
    const code = await sender.shareCode();
    const telling = code.split("-").slice(1).every((word) =>
      word.length >= TELLING_LETTERS && !wholeWord(word).test(anyway)
    );
    if (telling && draw > 0) return { link, code };
  }
  throw new Error(`Cannot look for words: none of ${DRAWS} codes is telling`);
}

/** A whole session: a picture in each direction, opened and closed, in two browsers. */
async function holdSession(
  way: Way,
  directory: string,
  [there, back]: readonly [Fixture, Fixture],
): Promise<Aftermath> {
  await using app = await startApp({ env: { LOG_LEVEL: "debug" } });
  using recorder = new Recorder(app.port);
  await using ada = await Somebody.arrive(join(directory, "ada"));
  // The sender's addresses are hidden behind mDNS names, the viewer's are not.
  const bare = ["--disable-features=WebRtcHideLocalIpsWithMdns"];
  await using ben = await Somebody.arrive(join(directory, "ben"), bare);
  const browsers: Part[] = [];
  const look = async (when: string, seated: readonly Somebody[] = [ada, ben]) => {
    for (const { page } of when === "waiting" ? [ada] : [ada, ben]) {
      const name = page === ada.page ? "sender" : "viewer";
      const moment = { when: `${when}, ${name}`, seated: seated.some((who) => who.page === page) };
      for (const part of await assertLittleKept(page, name, moment)) {
        // The same scripts are sent each time.
        const same = browsers.some(({ bytes }) => Buffer.from(bytes).equals(part.bytes));
        if (!same) browsers.push(part);
      }
    }
  };

  const heard = () =>
    understand(recorder.connections).parts.map(({ bytes }) => latin1(bytes)).join("\n");
  const sender = await Sender.open(ada.page, recorder.url);
  const { link, code } = await offer(sender, there, heard);
  await sender.page.evaluate(async () => {
    await navigator.serviceWorker.ready;
  });
  await look("waiting", [ada]);
  const viewer = way === "link"
    ? await Viewer.open(ben.page, link)
    : await Viewer.openByCode(ben.page, recorder.url);
  if (way === "code") await viewer.typeCode(code);
  await new Promise((resolve) => setTimeout(resolve, FORM_STATE_MS));
  await look("before joining", [ada]);
  await viewer.receive();
  await sender.waitPhase("delivered");
  await look("delivered");
  await viewer.look();
  await sender.waitPhase("shown");
  await look("shown");
  await viewer.closePicture();
  await sender.waitPhase("closed");
  await viewer.waitFor(
    "the viewer may send a picture back",
    () => document.querySelector("input[type=file]") !== null,
  );
  const input = await (await viewer.page.$("input[type=file]"))?.toElement("input");
  assert(input !== undefined, "the viewer may send a picture back");
  await input.uploadFile(back.path);
  await sender.press("open");
  await look("one shown back");
  await sender.press("close");
  await viewer.leave();
  await viewer.waitPhase("ended");
  await sender.waitPhase("ended");
  await look("ended", []);

  const known = withJavascriptKem([...await knownTo(ada.page), ...await knownTo(ben.page)]);
  const disks = [...await ada.depart(), ...await ben.depart()];
  const { exchanges, parts } = understand(recorder.connections);
  const answers: Part[] = [];
  for (const exchange of exchanges.filter(({ responseBody }) => responseBody.length > 0)) {
    const { target, responseBody: bytes } = exchange;
    const stranger = await fetchAs(app.url + target, exchange);
    // What everybody gets reveals nothing about anybody, and contains all kinds of words.
    if (withoutNonce(bytes) === withoutNonce(stranger)) continue;
    answers.push({ where: `${target}, answer`, bytes });
  }
  await app.stop();
  const log = { where: "log", bytes: new TextEncoder().encode(app.output) };
  const record = [...parts, ...answers, log];
  return { way, url: recorder.url, link, code, known, record, exchanges, log, browsers, disks };
}

/**
 * Fails unless the record is complete, and the search finds in it what the server has to be told.
 */
function assertWhole({ way, code, known, record, exchanges, log, url, disks }: Aftermath): void {
  for (const what of [...NOTED, ...TOLD[way], ...way === "code" ? ["img-e2e/1 pake psk"] : []]) {
    assert(known.some((item) => item.what === what), `${what} was noted`);
  }
  const told = needles(known.filter(({ what }) => TOLD[way].includes(what)));
  const heard = new Set(search(record, told).map(({ what }) => what));
  assertEquals(told.map(({ what }) => what).filter((what) => !heard.has(what)), []);
  assert(exchanges.some(({ method, target }) => `${method} ${target}` === "GET /join"));
  const room = `/ws/${code.split("-")[0]}`;
  assertEquals(exchanges.some(({ target }) => target === room), way === "code", room);
  assert(latin1(log.bytes).includes("is ready"), latin1(log.bytes));
  const address = { what: "address", bytes: latin1Bytes(`${url}/`) };
  assert(search(disks, [address]).length > 0, "the disks were searched");
  // Not even what the server is told is written to the log.
  assertAbsent([log], told, "the log");
}

/** Fails if a request names its referrer or its user. */
function assertDiscreet({ exchanges }: Aftermath): void {
  for (const { request } of exchanges) {
    // The browser checks for a newer service worker by itself, with the worker as its referrer.
    const own = request.replace(/^referer: http:\/\/[^/]+\/sw\.js\?[\w=&-]+\r$/im, "");
    assert(!/^(cookie|referer):/im.test(own), request);
  }
}

for (const way of ["link", "code"] as const) {
  Deno.test(`a session by ${way}: no secret in server, log, browser or disk`, async () => {
    const directory = await Deno.makeTempDir({ prefix: "ephemeral-session-" });
    try {
      const there = await makePicture(directory, "trip-to-reykjavik.png", 5);
      const back = await makePicture(directory, "answer-from-oslo.png", 6);
      const session = await holdSession(way, directory, [there, back]);
      const { link, code, known, record, browsers, disks } = session;
      const { together, alone } = wordsOf(code);
      const pictures = await namesAndPixels([there, back]);
      const secrets = [...secretsOf(session), ...together, ...pictures];
      const atServer = [...secrets, ...alone, ...PATTERNS];

      assertWhole(session);
      assertFindable(record, atServer);
      assertAbsent(record, atServer, "the server");
      assertDiscreet(session);
      assertEquals(known.filter(({ what }) => what === "clipboard"), []);
      // The pages' own scripts contain words of SDP, and the list of all words.
      const inBrowser = secrets.filter(({ what }) => !what.startsWith("line of SDP"));
      assertAbsent(browsers, inBrowser, "a browser", 1);
      const visited = ({ where }: Part) =>
        way === "link" && where.includes("/ben/") && !OF_PAGES.test(where);
      assertAbsent(disks.filter((file) => !visited(file)), inBrowser, "a disk", 1);
      const ofLink = new Set(
        search([{ where: "link", bytes: latin1Bytes(link) }], secrets).map(({ what }) => what),
      );
      const beyond = inBrowser.filter(({ what }) => !ofLink.has(what));
      assertAbsent(disks.filter(visited), beyond, "a browser's history", 1);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
}
