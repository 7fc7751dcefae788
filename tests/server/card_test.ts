/**
 * A link in a chat becomes a card, in the reader's language, and the card tells nothing of the
 * picture: real requests to a real server.
 *
 * @module
 */
import { startApp } from "../support/app.ts";
import { assert, assertEquals } from "../support/assert.ts";

/** The `og:` and `twitter:` properties of a page, as a chat program reads them. */
async function cardOf(url: string, language: string): Promise<Record<string, string>> {
  const headers = { "accept-language": language, "user-agent": "WhatsApp/2.23.20.0" };
  const html = await (await fetch(url, { headers })).text();
  return Object.fromEntries(Array.from(
    html.matchAll(/<meta (?:property|name)="((?:og|twitter):\w+)" content="([^"]*)"/g),
    ([, name = "", content = ""]) => [name, content],
  ));
}

Deno.test("a link in a chat becomes a card in the language of whoever reads it", async () => {
  await using app = await startApp({ env: { PUBLIC_ORIGIN: "https://pic.example" } });
  const card = await cardOf(`${app.url}/join`, "en");
  assertEquals(card["og:title"], "Someone wants to show you a picture");
  assertEquals(card["twitter:card"], "summary_large_image");
  assertEquals(card["og:image"], "https://pic.example/card.png");
  const start = await cardOf(app.url, "en");
  assertEquals(start["og:title"], "Ephemeral P2P Image");
  const german = await cardOf(`${app.url}/join`, "de");
  assert(german["og:title"] !== card["og:title"], "the card is not translated");
  const image = await fetch(`${app.url}/card.png`);
  assertEquals(image.headers.get("content-type"), "image/png");
  await image.body?.cancel();
});

Deno.test("without PUBLIC_ORIGIN a card has no picture: its address is not known", async () => {
  await using app = await startApp();
  const card = await cardOf(`${app.url}/join`, "en");
  assertEquals(card["og:image"], undefined);
  assert(card["og:title"] !== undefined);
});
