/**
 * In-app browsers: they often lack what a session needs, and lose the session when somebody goes
 * back to the chat.
 *
 * This module is browser compatible.
 *
 * @module
 */

/** An app that shows pages in its own browser, and the system that it runs on. */
export interface InApp {
  /** The app's name; empty if only the kind is known. */
  readonly name: string;
  readonly system: "android" | "ios" | "other";
}

/**
 * Marks of the apps in their user agents, from documentation and reports; the first match counts.
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

/** Detects an in-app browser by its user agent; `null` if there is no sign of one. */
export function detectInApp(userAgent: string): InApp | null {
  const system = /\bAndroid\b/.test(userAgent)
    ? "android"
    : /\b(iPhone|iPad|iPod)\b/.test(userAgent)
    ? "ios"
    : "other";
  const app = APPS.find(([mark]) => mark.test(userAgent));
  if (app !== undefined) return { name: app[1], system };
  // Android's WebView names itself; on iOS a WebView only lacks what Safari and all other browsers
  // there add.
  const view = system === "android"
    ? /; wv\)/.test(userAgent)
    : system === "ios" && !/\bSafari\//.test(userAgent);
  return view ? { name: "", system } : null;
}
