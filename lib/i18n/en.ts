/**
 * Every text of the islands, in English. Other languages have the same shape. Data alone, so that a page can carry the one
 * language that it needs: `{words}` in braces are filled in by `format.ts`.
 *
 * This module is browser compatible.
 *
 * @module
 */

/** A headline and a sentence. */
type Message = readonly [title: string, text: string];

/** The same sentence for each kind of number that a language tells apart; `{n}` is the number. */
export type Plural = Partial<Record<Intl.LDMLPluralRule, string>> & { readonly other: string };

function message<K extends string>(table: Record<K, Message>): Record<K, Message> {
  return table;
}

function plural(forms: Plural): Plural {
  return forms;
}

/** The texts. */
export const en = {
  language: "en",

  units: {
    /** Stands where {duration} is. */
    seconds: plural({ one: "{n} second", other: "{n} seconds" }),
    moment: "less than a second",
    /** As short as it can be, on buttons. */
    short: "{n} s",
  },

  send: {
    title: "Show a picture. Once.",
    intro:
      "It goes straight from your browser to your friend’s, encrypted on the way. It is shown for as long as you say, and then it is gone.",
    choose: "Choose a picture",
    dropHint: "or drop it here, or paste it",
    formats: "JPEG, PNG, WebP, AVIF or GIF, up to 64 MB",
    drop: "Let go to add it",
    addAnother: "Add another picture",
    sendBack: "Send one back",
    preparing: "Looking at your picture …",
    secondsLegend: "It may be seen for",
    untilClosed: "until closed",
    untilClosedSpoken: "Until it is closed",
    options: "More options",
    optionsLive: "Options, and more pictures",
    end: "End the session",
    keep: "Keep the session open afterwards",
    keepHint: "Then your friend can send pictures back, until one of you leaves.",
    linkLabel: "The link for your friend",
    linkHint:
      "Send it to one person. It works once. Your friend presses one button; keep this page open until then.",
    copy: "Copy link",
    copied: "Copied",
    copyFailed: "Select the link and copy it by hand",
    qr: "QR code of the link",
    burn: "Burn it",
    leave: "Leave",
    retry: "Try again",
    newLink: "Make a new link",
    another: "Show another picture",
    captionOpen: "May be seen until it is closed",
    caption: "May be seen for {duration}",
    pictureOf: "Picture {n} of {total}",
    yourPicture: "Your picture",
    mark: "Text over the picture",
    markHint: "Left empty: date, time, and three words that only the two of you share.",
    haveCode: "I have a code",
  },

  relay: {
    label: "Hide my IP address",
    hint:
      "Your friend does not see it then: a relay of this server’s, if it has one, passes everything on, unreadable.",
  },

  /** The code that says the same as the link. */
  code: {
    share: "Or say it: your friend opens {host}/join and types this.",
    copy: "Copy code",
    copyFailed: "Select the code and copy it by hand",
    withdrawn:
      "Three times someone came without the right code. The code no longer works; the link still does.",
    unavailable: "No code this time: the list of words did not load. The link works as always.",
    title: "Type the code",
    intro:
      "Your friend reads it out to you. Then you can see the picture once, for a limited time.",
    label: "Code",
    /** Followed by the example. */
    hint: "A number and three words, such as",
    example: "4821-crystal-orbit-lemon",
    suggestions: "Words that fit",
    linkInstead: "You got a link instead? Open it as a whole.",
    /** What is wrong with what was typed, by `data-reason`. */
    problem: {
      incomplete_code: "The code has a number and three words.",
      unknown_word: "“{word}” is not one of the words. Ask how it is spelled.",
      unavailable_words: "The server does not answer. Are you offline? Try again in a moment.",
    },
  },

  /** What two people can compare. */
  verification: {
    way: {
      link: "Verified by the link",
      code: "Verified by the code",
      compared: "Compared by you two",
    },
    compare: "Compare",
    title: "Compare with your friend",
    explanation:
      "Call each other and read these out: if you both see the same seven in the same order, nobody is in between.",
    numbers: "As numbers:",
    same: "They are the same",
    different: "They differ",
  },

  status: {
    starting: "Getting a link …",
    waiting: "Waiting for your friend",
    connecting: "Your friend is here. Connecting the two of you …",
    connected: "Connected, with nobody in between",
    queued: "Ready to send",
    sending: "Sending, {percent} %",
    sendingNow: "Sending",
    delivered: "Delivered and still locked. Your friend has to press “Show it”.",
    opened: "Your friend is opening it …",
    shown: "Your friend is looking at it now",
    unsteady: "The connection is interrupted. It may come back by itself.",
    noServer: "No contact with the server. Trying again by itself; nothing is lost.",
  },

  outcome: {
    closedUnseen: "Viewer reported closed before anything was seen: {why}.",
    closed: "Seen for {duration}. Viewer reported closed: {why}.",
    why: {
      timer: "the time was up",
      user: "closed by hand",
      hidden: "the page was left",
      revoked: "burned",
      left: "the session ended",
    },
    burned: "Burned before it was opened. What was sent stays unreadable.",
    refused: {
      corrupt: "It did not arrive whole, and was never opened.",
      undecodable: "Your friend’s browser can’t show it. It was never opened.",
      too_large: "It is too large for your friend’s browser. It was never opened.",
      protocol: "Your friend’s browser can’t use it. It was never opened.",
      timeout: "It took too long. It was never opened.",
    },
    refusedOpened: "Opened, but the viewer reported that it could not be shown.",
    unreadable: "The file can’t be read any more. Was it moved or changed? It was never opened.",
    unseen: "Not opened.",
    unconfirmed: "Unconfirmed: it was open, and no word came that it was closed.",
  },

  timeline: {
    title: "What happened",
    waiting: "Link ready",
    peerHere: "Viewer here",
    /** How often in a row one came, and nothing came of it; 2 and more. */
    peerHereAgain: "Viewer here, visit {n} in a row",
    peerGone: "Viewer not here any more",
    peerGoneAgain: plural({
      one: "Viewer not here any more, after {n} visit",
      other: "Viewer not here any more, after {n} visits",
    }),
    turnedAway: {
      code: "Someone tried a wrong code and was turned away",
      link: "Someone without the right link was turned away",
      silence: "Someone came, said nothing, and was turned away",
    },
    live: "Connected and verified, end to end",
    sending: "Sending",
    delivered: "Delivered, still locked",
    opened: "Viewer pressed “Show it”",
    shown: "On the viewer’s screen",
    burn: "You burned it",
    incoming: "A picture comes back",
    incomingClosed: "You saw it for {duration}",
    ended: "Session over",
  },

  view: {
    title: "Someone wants to show you a picture",
    intro:
      "It comes straight from their browser to yours, encrypted on the way. You can see it once, for a limited time. Nothing happens until you press the button.",
    join: "Connect",
    connecting: "Connecting …",
    connectingHint: "Your browser and theirs are checking each other’s keys.",
    waitingSender: "The sender’s page does not answer right now. Keep this page open.",
    connectedTitle: "Connected",
    connected: "Nobody is in between. Waiting for the picture.",
    connectedIdle: "You can send a picture back, or wait for the next one.",
    receivingTitle: "A picture is coming",
    receiving: "{percent} % here, still locked",
    deliveredTitle: "It is here",
    deliveredOpen:
      "Still locked. Once you open it, it stays until you close it. Then it is gone for good.",
    delivered: "Still locked. Once you open it, you have {duration}. Then it is gone for good.",
    privacy: "Mind who is looking over your shoulder.",
    open: "Show it",
    openFor: "Show it ({n} s)",
    opening: "Unlocking …",
    close: "Close",
    burnOwn: "Burn yours",
    covered: "Covered while you look elsewhere. The time goes on.",
    holdNote: "You see it only while you hold it.",
    hold: "Press and hold to see it, or hold the space bar.",
    holdAgain: "Press and hold to see it again. The time goes on.",
    reveal: "Show",
    conceal: "Cover",
    countdown: plural({ one: "{n} second left", other: "{n} seconds left" }),
    until: "Until you close it",
    canvas: "The picture",
    closedTitle: "Gone",
    closed: "You saw it for {duration}.",
    revoked: "The sender took it back before it was opened.",
    revokedWhile: "The sender took it back after {duration}.",
    refused: "It could not be shown: it did not arrive as it was sent. The sender was told.",
    undecodable: "This browser could not show it. The sender was told, and may try another format.",
    notUnlocked: "The sender’s page did not unlock it in time. Nothing of it was readable here.",
    leave: "Leave",
    retry: "Try again",
    sendOwn: "Show a picture yourself",
    locked: "A locked picture",
  },

  /** Headline and explanation of each way in which it can end, for the sender and for the viewer. */
  ended: {
    sender: message({
      done: ["That was it", "The session is over."],
      burned: ["Burned", "The session is over, and the link does not work any more."],
      left: ["You left", "The session is over, and the link does not work any more."],
      peer_left: ["Your friend left", "The session is over."],
      lost: ["The connection was lost", "Your friend’s page was closed, or the network broke."],
      protocol: [
        "Stopped for safety",
        "Your friend’s page sent something that it should not have. Everything was closed.",
      ],
      mismatch: [
        "Stopped: you two see different things",
        "Someone may be in between, so everything was closed. While you talk, agree on another way to send a new link, and compare again then.",
      ],
    }),
    /** Said as well where a picture was open and nobody reported it closed. */
    unconfirmed:
      "One picture was open, and your friend’s page did not confirm that it is closed. It may still be visible there.",
    viewer: message({
      done: ["Gone", "Nothing of it is left on this page. The sender was told that it was closed."],
      burned: ["Taken back", "The sender burned the picture. Nothing of it is left on this page."],
      left: ["You left", "Nothing of any picture is left on this page."],
      peer_left: ["The sender left", "Nothing of any picture is left on this page."],
      lost: [
        "The connection was lost",
        "The sender’s page was closed, or the network broke. Nothing of any picture is left on this page.",
      ],
      protocol: [
        "Stopped for safety",
        "The other page sent something that it should not have. Nothing of any picture is left on this page.",
      ],
      mismatch: [
        "Stopped: you two see different things",
        "Someone may be in between, so everything was closed. Nothing of any picture is left on this page. While you talk, agree on another way to send a new link, and compare again then.",
      ],
    }),
  },

  /** Headline and explanation of each failure, by `data-reason`. */
  failed: message({
    refused: [
      "This link does not open anything",
      "It was used already, taken back, or is too old; or the sender’s page is not open right now. Try again in a moment, or ask for a new link.",
    ],
    superseded: [
      "Opened in another place",
      "This session goes on in another tab or on another device.",
    ],
    busy: ["The server is busy", "It takes no more sessions right now. Try again in a minute."],
    access: [
      "This server asks for its access key",
      "Load this page again and enter it. Your picture has not left this device.",
    ],
    unreachable: [
      "The server does not answer",
      "It is down or full, or you are offline. Nothing is lost: try again in a moment.",
    ],
    protocol: [
      "The server speaks another language",
      "This page may be out of date: load it again. If that does not help, tell who runs this server.",
    ],
    room_deleted: [
      "The session is over",
      "The sender closed it before anything was shown. Ask for a new link if you still want to see it.",
    ],
    room_expired: ["The link is too old", "A link works for an hour. Nothing was seen."],
    room_lost: [
      "The sender is gone",
      "The sender’s page was closed or lost its connection. Ask for a new link.",
    ],
    network: [
      "No way through between the two networks",
      "One of them blocks direct connections, as some companies, hotels and VPNs do. Nothing was seen. Try again on another network, for example a phone’s.",
    ],
    no_relay: [
      "This server has no relay",
      "Without one your IP address can’t be hidden from the other side. Nothing was seen. Connect directly, or ask who runs this server for a TURN relay.",
    ],
    timeout: [
      "No connection came about",
      "The other page did not answer in time. Nothing was seen. Check that both pages are open, and try again.",
    ],
    verification: [
      "Stopped: the keys do not match",
      "Someone or something changed what the two browsers told each other. No picture was sent. Use a new link, and send it another way.",
    ],
    insecure: [
      "This page needs HTTPS",
      "Without it, the browser offers no encryption. Open the address with https:// in front, or localhost on this machine.",
    ],
    no_webrtc: [
      "This browser can’t connect to others",
      "WebRTC is missing or switched off, for example by lockdown mode, an extension or an in-app browser. Try another browser.",
    ],
    old_browser: [
      "This browser is too old",
      "It can’t decode pictures safely. Try a newer one; the link stays good.",
    ],
    dismissed: [
      "The sender’s page turned you away",
      "What the two pages told each other did not fit together, or took too long. Nothing was seen. Try again; if that does not help, ask for a new link, sent another way.",
    ],
    wrong_code: [
      "These words do not fit the number",
      "Ask for them once more. After three wrong tries, ask for the link instead: the code is withdrawn then.",
    ],
    bad_link: [
      "This link is not whole",
      "Part of it got lost on the way. Copy all of it, up to the last character, or ask for it again.",
    ],
  }),
  /** `busy`, where the server said for how long. */
  busyFor: [
    "Too many at once",
    "There were too many tries from your network, or too many people are here. Try again in {duration}.",
  ] as Message,
  /** Who typed a code has no link. */
  failedCode: message({
    refused: [
      "This number leads nowhere now",
      "Check it first. If it is right, the code was used, taken back, is too old, or was withdrawn after wrong tries: then ask for the link. Or the sender’s page is not open right now.",
    ],
    room_deleted: [
      "The session is over",
      "The sender closed it before anything was shown. Ask for a new code if you still want to see it.",
    ],
    room_expired: [
      "The code is too old",
      "A code works for an hour at most. Nothing was seen. Ask for a new code.",
    ],
    room_lost: [
      "The sender is gone",
      "The sender’s page was closed or lost its connection. Ask for a new code.",
    ],
    verification: [
      "Stopped: the keys do not match",
      "Someone or something changed what the two browsers told each other. No picture was sent. Ask for a new code, and have it said another way, for example by phone.",
    ],
  }),
  /** The sender’s own words where the viewer’s would be wrong. */
  failedSender: {
    refused: [
      "The link could not be made",
      "The server did not accept it. Your picture has not left this device: make a new link.",
    ] as Message,
  },

  /** What is wrong with a file, by `data-reason`. */
  picture: {
    empty: "This file is empty.",
    not_an_image: "This is not a picture, whatever its name says.",
    svg:
      "SVG drawings can carry programs, so they are not shown here. Save it as PNG and try that.",
    heic:
      "This is a HEIC picture, which most browsers can’t show. Save or share it as JPEG and try that.",
    unsupported:
      "This kind of picture can’t be shown in browsers. Save it as JPEG or PNG and try that.",
    truncated: "This picture is cut off: its end is missing. Is the download finished?",
    too_many_pixels:
      "This picture has more than 40 megapixels, too much for many phones. Make it smaller and try again.",
    too_large: "This file is larger than 64 MB. Make it smaller and try again.",
    undecodable: "Your browser can’t read this picture: it seems to be damaged.",
    unreadable: "This file can’t be read any more. Was it moved or changed? Choose it again.",
    timeout: "Your browser took too long to read this picture. Try a smaller one.",
    aborted: "Reading this picture was stopped. Choose it again.",
    crashed: "Your browser gave up on this picture. Try a smaller one.",
    unavailable: "This browser is too old to handle pictures safely. Try a newer one.",
    too_many: "A session takes at most 20 pictures.",
  },
  /** A file by its name, and what is wrong with it. */
  pictureNamed: "“{name}”: {text}",

  /** Names of the pictures that two people compare, by their English ones; empty where those are meant. */
  sas: {} as Readonly<Record<string, string>>,
};

/** The shape of all languages. */
export type Texts = typeof en;
