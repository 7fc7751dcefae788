import { detectInApp, type InApp } from "../../lib/device/in_app.ts";
import { assertEquals } from "../support/assert.ts";

const IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 " +
  "(KHTML, like Gecko)";
const ANDROID = "Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/UQ1A.240205.002; wv) " +
  "AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/122.0.6261.64 Mobile Safari/537.36";

/** User agents that these apps send, from their documentation and from reports. */
const INSIDE: readonly (readonly [userAgent: string, app: InApp])[] = [
  [
    `${IPHONE} Mobile/21E236 Instagram 325.0.3.34.90 ` +
    "(iPhone14,5; iOS 17_4_1; en_US; en; scale=3.00; 1170x2532; 582366450)",
    { name: "Instagram", system: "ios" },
  ],
  [
    `${ANDROID} Instagram 321.0.0.39.106 Android ` +
    "(34/14; 420dpi; 1080x2400; Google/google; Pixel 8; shiba; shiba; en_US)",
    { name: "Instagram", system: "android" },
  ],
  [
    `${IPHONE} Mobile/21E236 ` +
    "[FBAN/FBIOS;FBAV/455.0.0.37.107;FBBV/577164542;FBDV/iPhone14,5;FBMD/iPhone;FBSN/iOS]",
    { name: "Facebook", system: "ios" },
  ],
  [
    `${ANDROID} [FB_IAB/FB4A;FBAV/454.0.0.48.106;]`,
    { name: "Facebook", system: "android" },
  ],
  [
    `${IPHONE} Mobile/21E236 ` +
    "[FBAN/MessengerForiOS;FBAV/449.0.0.32.108;FBBV/573418417;FBDV/iPhone14,5]",
    { name: "Messenger", system: "ios" },
  ],
  [`${ANDROID} [FB_IAB/Orca-Android;FBAV/446.0.0.22.109;]`, {
    name: "Messenger",
    system: "android",
  }],
  [`${IPHONE} Mobile/15E148 Safari Line/14.3.0`, { name: "LINE", system: "ios" }],
  [
    `${IPHONE} Mobile/15E148 MicroMessenger/8.0.47(0x18002f30) NetType/WIFI Language/en`,
    { name: "WeChat", system: "ios" },
  ],
  [
    `${IPHONE} Mobile/15E148 musical_ly_33.5.0 JsSdk/2.0 NetType/WIFI Channel/App Store ` +
    "BytedanceWebview/d8a21c6",
    { name: "TikTok", system: "ios" },
  ],
  [`${IPHONE} Mobile/15E148 Snapchat/12.78.0.35 (like Safari/8617.2.4.10.8, panda)`, {
    name: "Snapchat",
    system: "ios",
  }],
  [`${IPHONE} Mobile/15E148 [LinkedInApp]/9.29.4872`, { name: "LinkedIn", system: "ios" }],
  [`${IPHONE} Mobile/15E148 Twitter for iPhone/10.33`, { name: "X", system: "ios" }],
  [`${ANDROID} TwitterAndroid`, { name: "X", system: "android" }],
  [`${ANDROID} Telegram-Android/10.9.1 (Google Pixel 8; Android 14; SDK 34; HIGH)`, {
    name: "Telegram",
    system: "android",
  }],
  [ANDROID, { name: "", system: "android" }],
  [`${IPHONE} Mobile/15E148`, { name: "", system: "ios" }],
];

/** Browsers that people choose themselves. */
const BROWSERS = [
  `${IPHONE} Version/17.4.1 Mobile/15E148 Safari/604.1`,
  `${IPHONE} CriOS/123.0.6312.52 Mobile/15E148 Safari/604.1`,
  `${IPHONE} FxiOS/124.0 Mobile/15E148 Safari/605.1.15`,
  "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) " +
  "Chrome/122.0.0.0 Mobile Safari/537.36",
  "Mozilla/5.0 (Android 14; Mobile; rv:124.0) Gecko/124.0 Firefox/124.0",
  "Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) " +
  "SamsungBrowser/24.0 Chrome/117.0.0.0 Mobile Safari/537.36",
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 " +
  "(KHTML, like Gecko) Version/17.4 Safari/605.1.15",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) " +
  "Chrome/122.0.0.0 Safari/537.36 Edg/122.0.0.0",
  "Mozilla/5.0 (X11; Linux x86_64; rv:124.0) Gecko/20100101 Firefox/124.0",
  "",
];

for (const [userAgent, app] of INSIDE) {
  const name = app.name === "" ? "an app that keeps its name to itself" : app.name;
  Deno.test(`a page in ${name} on ${app.system} is detected: …${userAgent.slice(-30)}`, () => {
    assertEquals(detectInApp(userAgent), app);
  });
}

Deno.test("a browser that somebody chose is not taken for an in-app browser", () => {
  assertEquals(BROWSERS.filter((userAgent) => detectInApp(userAgent) !== null), []);
});
