/**
 * Every text that only the server needs, in English: what stands around the islands, and pages without any.
 *
 * This module is browser compatible.
 *
 * @module
 */

/** The texts. */
export const enPages = {
  name: "Ephemeral P2P Image",
  description:
    "Show one person a picture, once. It goes from your browser to theirs, encrypted; then it is gone.",
  skip: "Skip to the content",
  footer: {
    guarantees: "What this does and does not guarantee",
    home: "Show a picture",
    language: "Language",
    change: "Change",
    build: "Build",
  },

  /** Above a page whose program is another one than last time; the two builds follow. */
  changed: {
    title: "The code of this page changed since you last used it.",
    text:
      "That is normal when whoever runs this server has updated it. If nobody was to do so, ask before you show anything.",
    more: "What this number means",
    dismiss: "All right",
  },

  /** There is no connection. */
  offline: {
    title: "No connection",
    text:
      "You are offline, or the server is. A link that you opened is still there: it works once you are back, as long as your friend keeps the page open.",
    again: "Try again",
  },

  /** Pictures came from the share sheet to the server, which does not take them. */
  share: {
    title: "Your picture did not arrive",
    text:
      "This app takes shared pictures inside of your browser, and it was not ready. Nothing of the picture was kept. Share it again, or choose it on the first page.",
  },

  access: {
    title: "Who may show pictures here",
    intro: "This server asks for its access key before you show one. Who runs it can tell you.",
    label: "Access key",
    enter: "Continue",
    wrong: "That is not the key. Check it and try again.",
    wait: "Too many wrong keys. Try again in {duration}.",
    joining: "To look at a picture you need no key: open the link, or type the code, that you got.",
  },

  error: {
    notFoundTitle: "There is nothing here",
    notFound: "The address is not right, or the page is gone.",
    title: "Something went wrong here",
    text:
      "It is not your fault. Nothing of your picture was on this server. Try again in a moment.",
    home: "To the start",
    noScript: "This page needs JavaScript: the encryption happens in your browser.",
  },

  /** The page `/build`. */
  build: {
    title: "Which code you run",
    none:
      "This is a server for development. What it gives out changes all the time, and has no number.",
    points: [
      "This number is the SHA-256 of every file that this server was built to give to browsers.",
      "Anybody can build the same number from the published source with one command, and compare the files that this server really sends. The README says how.",
      "Where you show pictures, your browser remembers the number and says so when it changes.",
      "A dishonest server could show you the old number with new code: the number proves nothing by itself. It is there so that honest changes are seen, and dishonest ones can be found by those who compare the files.",
    ],
  },

  /** The page `/security`. */
  security: {
    title: "What this does and does not guarantee",
    sections: [
      {
        title: "What this server learns",
        points: [
          "That two addresses on the internet met here, when, and for how long.",
          "The digits of a spoken code. Its words and the secret part of a link never leave your two browsers.",
          "It keeps a session in memory for an hour at most, and forgets it as soon as one of you ends it.",
        ],
      },
      {
        title: "What it can’t do",
        points: [
          "See the picture. It goes past the server, or through it, encrypted. The server never has the key.",
          "Slip in between. Both browsers check each other, and stop when anything was exchanged on the way.",
          "Read it later. Not even with a recording of everything and a quantum computer.",
        ],
      },
      {
        title: "Who gets in",
        points: [
          "With a link: the first who has all of it and presses Connect. Send it to one person.",
          "With a spoken code: whoever overhears all of it before your friend uses it can take your friend’s place. It stops working after three wrong tries.",
          "To be sure, compare: once connected, both pages show seven pictures. If your friend sees the same ones, it is your friend, and nobody is in between.",
          "Even then the picture is locked until your friend presses “Show it”. Burn it before, and it stays locked.",
        ],
      },
      {
        title: "What nobody can prevent",
        points: [
          "A screenshot, or a photograph of the screen. The watermark says where a copy came from; it does not stop it.",
          "A friend with changed software. “Viewer reported closed” is what the other browser says, not a proof.",
          "That each of you can see the other’s IP address: your browsers connect directly, unless you hide yours and this server has a relay.",
          "A different program. It comes from whoever runs this server, and extensions of a browser can read along. Use a server that you trust, or run your own.",
        ],
      },
    ],
  },
};

/** The shape of all languages. */
export type PageTexts = typeof enPages;
