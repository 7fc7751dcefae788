/**
 * Key usage of two real pages, from the first script to the end of the session, decoding included:
 * what they do with their keys, and that no key ever appears in a document, an address, a console
 * or a performance entry.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { fromBase64Url } from "../../lib/protocol/bytes.ts";
import { startApp } from "../support/app.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { type TestPage, withTwoPages } from "../support/browser.ts";
import { fixture } from "../support/fixtures.ts";
import { Sender, Viewer } from "../support/flow.ts";
import { latin1Bytes, type Needle, type Part, search } from "../support/search.ts";
import {
  assertLeastKeys,
  WATCH_REPORT,
  WATCH_SCRIPT,
  type WatchReport,
} from "../support/watch_subtle.ts";

/**
 * Everything that ever appeared in a page where others can read it, each once; and what it sent to
 * its server.
 */
interface Written {
  /** Attributes, addresses, titles, texts: the place and the text. */
  readonly places: readonly (readonly [where: string, text: string])[];
  readonly messages: readonly string[];
}

/** Records it. Runs in the page before its scripts, so it must be self-contained. */
function watchPage(): void {
  const places = new Map<string, [where: string, text: string]>();
  const messages: string[] = [];
  const note = (where: string, text: string | null) => {
    if (text !== null && text !== "") places.set(`${where} ${text}`, [where, text]);
  };
  const noteElement = (element: Element) => {
    const name = element.getAttribute("data-field") ?? element.localName;
    for (const { name: attribute, value } of element.attributes) {
      note(`${name}[${attribute}]`, value);
    }
  };
  new MutationObserver((records) => {
    note("title", document.title);
    note("address", location.href);
    for (const { target, attributeName, oldValue, addedNodes } of records) {
      if (attributeName !== null) note(`${target.nodeName}[${attributeName}]`, oldValue);
      if (target instanceof Element) noteElement(target);
      if (target.nodeType === Node.TEXT_NODE) note("text", target.textContent);
      for (const added of addedNodes) {
        note("text", added.textContent);
        if (!(added instanceof Element)) continue;
        noteElement(added);
        for (const inside of added.querySelectorAll("*")) noteElement(inside);
      }
    }
  }).observe(document, {
    subtree: true,
    childList: true,
    characterData: true,
    attributes: true,
    attributeOldValue: true,
  });
  for (const name of ["pushState", "replaceState"] as const) {
    const original = history[name];
    history[name] = function (...args) {
      note(name, JSON.stringify(args));
      return Reflect.apply(original, this, args);
    };
  }
  globalThis.WebSocket = class extends WebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      this.addEventListener("message", ({ data }) => messages.push(String(data)));
    }
    override send(data: string): void {
      messages.push(data);
      super.send(data);
    }
  };
  const report = () => {
    // The browser records the address that a page started with, fragment included, for this page's
    // scripts alone; nobody can remove it.
    for (const { entryType, name } of performance.getEntries()) {
      if (entryType !== "navigation") note(`performance ${entryType}`, name);
    }
    for (const storage of [localStorage, sessionStorage]) note("storage", JSON.stringify(storage));
    note("state", JSON.stringify(history.state));
    note("window.name", String(Reflect.get(globalThis, "name")));
    note("cookie", document.cookie);
    note("text", document.body.innerText);
    for (const element of document.querySelectorAll("*")) noteElement(element);
    return JSON.stringify({ places: [...places.values()], messages });
  };
  Object.defineProperty(globalThis, "__written", { value: report });
}

const BEFORE = `${WATCH_SCRIPT}(${watchPage})();`;

/**
 * Where a secret has to appear: where the sender shares it, and where the viewer's page read it
 * before its first script ran.
 */
const EXPECTED = [
  ["sender: text", "the words"],
  ["viewer: address", "the link"],
] as const;

/** Derived to be told or shown, or public. */
const HARMLESS = ["img-e2e/1 room id", "img-e2e/1 join token", "img-e2e/1 sas"];

async function ask<T>({ page }: TestPage, expression: string): Promise<T> {
  return JSON.parse(String(await page.evaluate(expression)));
}

/** What both pages must not show: the link, every key and its inputs, the tokens of the seats. */
function secretsOf(link: string, pages: readonly [WatchReport, Written][]): Needle[] {
  const secret = fromBase64Url(link.slice(link.indexOf("#1.") + 3));
  assert(secret !== null, link);
  const needles = new Map<string, string>([[Buffer.from(secret).toString("hex"), "the link"]]);
  // If a secret has several names, the first descriptive one stays.
  const add = (hex: string, what: string) => {
    const known = needles.get(hex);
    if (known === undefined || known.endsWith("random bytes")) needles.set(hex, what);
  };
  for (const [{ secrets }, { messages }] of pages) {
    for (const { what, hex } of secrets) {
      // Shown, as seven pictures.
      if (what !== "img-e2e/1 sas" && what !== "img-e2e/1 room id") add(hex, what);
    }
    for (const message of messages) {
      for (const [, name = "", token = ""] of message.matchAll(/"(rtok|otok|tok)":"([\w-]+)"/g)) {
        add(Buffer.from(token, "base64url").toString("hex"), name);
      }
    }
  }
  return [...needles].map(([hex, what], i) => ({
    what: `${what} (${i})`,
    bytes: new Uint8Array(Buffer.from(hex, "hex")),
  }));
}

function partsOf(who: string, { places }: Written, { console, errors }: TestPage): Part[] {
  const texts = [...places, ...console.map((line) => ["console", line] as const)];
  const all = [...texts, ...errors.map((line) => ["error", line] as const)];
  return all.map(([where, text]) => ({
    where: `${who}: ${where}`,
    bytes: new TextEncoder().encode(text),
  }));
}

/** Names of secrets of which something remains in a page; what was sent in clear does not count. */
function leftOvers({ secrets }: WatchReport, pages: readonly Written[]): string[] {
  const relayed = pages.flatMap(({ messages }) => messages.join("\n"))
    .flatMap((text) => [...text.matchAll(/"d":"([\w-]+)"/g)])
    .map(([, d = ""]) => Buffer.from(d, "base64url").toString("hex"))
    .join();
  return secrets.filter(({ what, hex, zeroed }) => {
    const isNonce = what === "32 random bytes" && relayed.includes(hex);
    return !zeroed && !isNonce && !HARMLESS.includes(what);
  }).map(({ what, hex }) => `${what} ${hex.length / 2}`);
}

/** Fails unless a secret that appears in a page for a moment only is found, wherever that is. */
async function assertNoticed(page: TestPage, secrets: readonly Needle[]): Promise<void> {
  const secret = secrets.find(({ what }) => what.startsWith("AES-GCM key"));
  assert(secret !== undefined && "bytes" in secret);
  const text = Buffer.from(secret.bytes).toString("base64url");
  await page.page.evaluate((text) => {
    document.body.setAttribute("data-planted", text);
    document.body.removeAttribute("data-planted");
    document.title = text;
    const paragraph = document.createElement("p");
    document.body.append(paragraph);
    paragraph.append(text);
    performance.mark(text);
    history.replaceState({ text }, "");
    // deno-lint-ignore no-console -- it is what is looked for
    console.log(text);
  }, text);
  const written = await ask<Written>(page, "globalThis.__written()");
  const found = new Set(search(partsOf("", written, page), [secret]).map(({ where }) => where));
  for (
    const where of [
      ": BODY[data-planted]",
      ": title",
      ": text",
      ": performance mark",
      ": replaceState",
      ": state",
      ": console",
    ]
  ) assert(found.has(where), `it was not found in${where}`);
}

Deno.test("two pages, one picture: keys are single-purpose, wiped, unreadable", async () => {
  await using app = await startApp({ env: { LOG_LEVEL: "debug" } });
  const picture = await fixture("small");
  await withTwoPages(async (senderPage, viewerPage) => {
    const sender = await Sender.open(senderPage, app.url);
    const link = await sender.offer(picture, { seconds: 3 });
    const [, words = ""] = /^\d+-(.*)$/.exec(await sender.shareCode()) ?? [];
    const viewer = await Viewer.open(viewerPage, link);
    await viewer.receive();
    await sender.waitPhase("delivered");
    await viewer.look();
    await sender.waitPhase("shown");
    await viewer.waitPhase("ended");
    await sender.waitPhase("ended");

    const people = { sender: senderPage, viewer: viewerPage };
    const seen = [];
    for (const [who, page] of Object.entries(people)) {
      const report = await ask<WatchReport>(page, WATCH_REPORT);
      const written = await ask<Written>(page, "globalThis.__written()");
      seen.push({ who, page, report, written });
    }
    for (const { who, report } of seen) {
      assertLeastKeys(report, { spare: 1, calm: true });
      assertEquals(leftOvers(report, seen.map(({ written }) => written)), [], who);
    }

    const secrets = secretsOf(link, seen.map(({ report, written }) => [report, written]));
    secrets.push({ what: "the words", bytes: latin1Bytes(words) });
    assert(secrets.length > 20, `only ${secrets.length} secrets were noted`);
    for (
      const name of ["the link", "rtok", "otok", "AES-GCM key", "img-e2e/1 ctl", "img-e2e/1 psk"]
    ) {
      assert(secrets.some(({ what }) => what.startsWith(name)), `${name} was not noted`);
    }
    const record = seen.flatMap(({ who, page, written }) => partsOf(who, written, page));
    for (const where of ["sender: main[data-phase]", "viewer: main[data-phase]", "viewer: title"]) {
      assert(record.some((part) => part.where === where), `${where} was not noted`);
    }
    const log = { where: "log", bytes: latin1Bytes(app.output) };
    const found = search([...record, log], secrets).filter(({ where, what }) =>
      !EXPECTED.some(([place, secret]) => where === place && what.startsWith(secret))
    );
    assertEquals(found, []);
    await assertNoticed(senderPage, secrets);
  }, { before: BEFORE });
});
