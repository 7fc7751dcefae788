/**
 * Browsers inside of other apps: they often lack what a session needs, and lose it when somebody
 * goes back to the chat.
 *
 * This module is browser compatible.
 *
 * @module
 */

/** An app that shows pages itself, and the system that it runs on. */
export interface InApp {
  /** The app's name; empty where only its kind is known. */
  readonly name: string;
  readonly system: "android" | "ios" | "other";
}

/**
 * What the apps write into their user agent, by documentation and reports; the first that fits
 * counts.
 */
const APPS: readonly (readonly [mark: RegExp, name: string])[] = [
  [/\bInstagram\b/, "Instagram"],
  [/\bMessenger|MESSENGER|FB_IAB\/Orca|FBAN\/Messenger/, "Messenger"],
  [/\bFBA[NV]\b|\bFB_IAB\b/, "Facebook"],
  [/\bLine\//, "LINE"],
  [/MicroMessenger/, "WeChat"],
  [/musical_ly|BytedanceWebview|\bTikTok\b/, "TikTok"],
  [/\bSnapchat\b/, "Snapchat"],
  [/\bLinkedInApp\b/, "LinkedIn"],
  [/\bTwitter\b|TwitterAndroid/, "X"],
  [/\bPinterest\b/, "Pinterest"],
  [/Telegram-Android/, "Telegram"],
];

/**
 * Says by its user agent whether a page is shown inside of another app; `null` where nothing says
 * so.
 */
export function detectInApp(userAgent: string): InApp | null {
  const system = /\bAndroid\b/.test(userAgent)
    ? "android"
    : /\b(iPhone|iPad|iPod)\b/.test(userAgent)
    ? "ios"
    : "other";
  const app = APPS.find(([mark]) => mark.test(userAgent));
  if (app !== undefined) return { name: app[1], system };
  // Android's WebView says so; one of iOS only leaves out what Safari, and every browser there,
  // adds.
  const view = system === "android"
    ? /; wv\)/.test(userAgent)
    : system === "ios" && !/\bSafari\//.test(userAgent);
  return view ? { name: "", system } : null;
}
