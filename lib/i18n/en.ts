/**
 * Every text of the islands, in English. Other languages have the same shape. Data alone, so that a page can carry the one
 * language that it needs: `{words}` in braces are filled in by `format.ts`.
 *
 * This module is browser compatible.
 *
 * @module
 */

/** What a screen says where something is over: never without any of the three. */
export type Why = readonly [title: string, happened: string, todo: string];

/** The same sentence for each kind of number that a language tells apart; `{n}` is the number. */
export type Plural = Partial<Record<Intl.LDMLPluralRule, string>> & { readonly other: string };

function why<K extends string>(table: Record<K, Why>): Record<K, Why> {
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
    camera: "Take a photo",
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
      "Send it to one person. Your friend opens it, presses “Connect”, then “Show it”. It works once; keep this page open until then.",
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
    ask: "Ask me before showing",
    askHint: "When your friend presses “Show it”, you decide. Until then it stays locked.",
    asked: "Your friend asks to see it",
    allow: "Let them see it",
    refuse: "Don’t show it",
    grant: plural({ one: "Give {n} second more", other: "Give {n} seconds more" }),
    forgotTitle: "Connected again",
    forgot:
      "This page was loaded again. What your friend had not opened is not here any more: choose it once more.",
  },

  /** What is said about one picture. */
  settings: {
    open: "Settings of this picture",
    title: "Picture {n}",
    done: "Done",
    hold: "Hold to see",
    holdHint: "It is covered whenever your friend lets go. The time goes on.",
    /** After the time that it may be seen for. */
    whileHeld: "while it is held",
    caption: "Caption",
    captionHint: "Shown with the picture, and gone with it.",
    alt: "Description",
    altHint: "For a friend who can’t see it: it is read out in its place.",
    name: "Send the file’s name",
    nameHint: "It is called “{name}”. Names often say more than pictures.",
    earlier: "Show it earlier",
    later: "Show it later",
    remove: "Take it out",
  },

  /** What was done to a picture before it is sent. */
  clean: {
    removed: "Taken out of the file: {things}.",
    kinds: {
      location: "location",
      device: "device",
      time: "time",
      author: "author",
      text: "texts",
      preview: "other pictures in it",
      other: "other details",
    },
    reduced: "Made smaller: from {from} to {to} megapixels.",
    fullSize: "Send very large pictures at full size",
    fullSizeHint:
      "Else they are made smaller, to 16 megapixels. Phones run out of memory with more.",
  },

  /** The editor of a picture that is not on its way yet. */
  edit: {
    open: "Crop or cover",
    title: "Crop or cover",
    tools: "Tools",
    crop: "Crop",
    black: "Black box",
    pixels: "Pixelate",
    left: "Turn left",
    right: "Turn right",
    undo: "Undo",
    remove: "Remove this area",
    cancel: "Cancel",
    done: "Done",
    hint:
      "Draw over the picture. The arrow keys move what is chosen; with Shift they change its size.",
    safe: "Black hides text for good. Pixelating only softens what is there.",
    working: "Making the new picture …",
    /** What is said of an area: its kind and number, and where it is in percent. */
    area: "{kind} {n}",
    place: "{area}: {left} % from the left, {top} % from the top, {width} % wide, {height} % high",
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

  /** Which way the pictures go. */
  way: {
    direct: "Direct",
    relayed: "Through a relay, still encrypted",
    server: "Through this server, still encrypted",
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
    /** This page was loaded again, and looks for its session. */
    returning: "Going on …",
    returningHint: "This page was loaded again. It is taking its place back.",
    /** Where no script of the page ran within some seconds. */
    late: "This page has not loaded completely. If nothing changes, load it again.",
    away:
      "Your friend’s page was closed, or is being loaded again. If it comes back within two minutes, this goes on by itself.",
    awaySender:
      "The sender’s page was closed, or is being loaded again. If it comes back within two minutes, this goes on by itself.",
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
    away: "Viewer’s page closed, or being loaded again",
    again: "This page was loaded again",
    sending: "Sending",
    delivered: "Delivered, still locked",
    asked: "Viewer asks to see it",
    opened: "Viewer pressed “Show it”",
    shown: "On the viewer’s screen",
    wish: "Your friend asks for more time",
    granted: "You gave {duration} more",
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
    askingTitle: "The sender decides",
    asking: "You asked to see it. As soon as the sender says yes, it is shown here.",
    deliveredAsk: "The sender is asked before it is shown.",
    holdNote: "You see it only while you hold it.",
    hold: "Press and hold to see it, or hold the space bar.",
    holdAgain: "Press and hold to see it again. The time goes on.",
    reveal: "Show",
    conceal: "Cover",
    never: "Never mind",
    more: "Ask for more time",
    moreAsked: "Asked for more time",
    close: "Close",
    burnOwn: "Burn yours",
    covered: "Covered while you look elsewhere. The time goes on.",
    countdown: plural({ one: "{n} second left", other: "{n} seconds left" }),
    until: "Until you close it",
    canvas: "The picture",
    closedTitle: "Gone",
    closed: "You saw it for {duration}.",
    closedUnseen: "It was closed before you saw anything.",
    revoked: "The sender took it back before it was opened.",
    forgotten:
      "The sender’s page was loaded again, and the picture is not there any more. It was not opened.",
    revokedWhile: "The sender took it back after {duration}.",
    refused: "It could not be shown: it did not arrive as it was sent. The sender was told.",
    undecodable: "This browser could not show it. The sender was told, and may try another format.",
    notUnlocked: "The sender’s page did not unlock it in time. Nothing of it was readable here.",
    leave: "Leave",
    retry: "Try again",
    sendOwn: "Show a picture yourself",
    locked: "A locked picture",
  },

  /** Each way in which it can end, for the sender and for the viewer: headline, what happened, what to do now. */
  ended: {
    sender: why({
      done: [
        "That was it",
        "The session is over.",
        "You can close this page, or show another picture.",
      ],
      burned: [
        "Burned",
        "The session is over, and the link does not work any more.",
        "You can show another picture, with a new link.",
      ],
      left: [
        "You left",
        "The session is over, and the link does not work any more.",
        "You can make a new link.",
      ],
      peer_left: [
        "Your friend left",
        "The session is over.",
        "If that was too early, make a new link and send it again.",
      ],
      lost: [
        "The connection was lost",
        "Your friend’s page was closed, or the network broke.",
        "Ask your friend what was on the screen last. Then make a new link.",
      ],
      protocol: [
        "Stopped for safety",
        "Your friend’s page sent something that it should not have. Everything was closed.",
        "Ask your friend to load the page again. If it happens again, do not go on.",
      ],
      mismatch: [
        "Stopped: you two see different things",
        "Someone may be in between, so everything was closed.",
        "While you talk, agree on another way to send a new link, and compare again then.",
      ],
    }),
    /** Said as well where a picture was open and nobody reported it closed. */
    unconfirmed:
      "One picture was open, and your friend’s page did not confirm that it is closed. It may still be visible there.",
    viewer: why({
      done: [
        "Gone",
        "Nothing of it is left on this page. The sender was told that it was closed.",
        "You can close this page.",
      ],
      burned: [
        "Taken back",
        "The sender burned the picture. Nothing of it is left on this page.",
        "You can close this page.",
      ],
      left: [
        "You left",
        "Nothing of any picture is left on this page.",
        "If you still want to see one, ask for a new link.",
      ],
      peer_left: [
        "The sender left",
        "Nothing of any picture is left on this page.",
        "If you still want to see one, ask for a new link.",
      ],
      lost: [
        "The connection was lost",
        "The sender’s page was closed, or the network broke. Nothing of any picture is left on this page.",
        "Ask for a new link if you still want to see it.",
      ],
      protocol: [
        "Stopped for safety",
        "The other page sent something that it should not have. Nothing of any picture is left on this page.",
        "Load this page again. If it happens again, do not go on.",
      ],
      mismatch: [
        "Stopped: you two see different things",
        "Someone may be in between, so everything was closed. Nothing of any picture is left on this page.",
        "While you talk, agree on another way to send a new link, and compare again then.",
      ],
    }),
  },

  /** Each failure before a session began, by `data-reason`: headline, what happened, what to do now. */
  failed: why({
    refused: [
      "This link does not open anything",
      "It was used already, taken back, or is too old; or the sender’s page is not open right now.",
      "Try again in a moment, or ask for a new link.",
    ],
    superseded: [
      "Opened in another place",
      "This session goes on in another tab or on another device.",
      "Go there. You can close this page.",
    ],
    busy: [
      "The server is busy",
      "It takes no more sessions right now.",
      "Try again in a minute.",
    ],
    access: [
      "This server asks for its access key",
      "It makes links only for those who know it.",
      "Load this page again and enter the key.",
    ],
    unreachable: [
      "The server does not answer",
      "It is down or full, or you are offline.",
      "Nothing is lost: try again in a moment.",
    ],
    protocol: [
      "The server speaks another language",
      "This page may be out of date.",
      "Load it again. If that does not help, tell who runs this server.",
    ],
    room_deleted: [
      "The session is over",
      "The sender closed it before anything was shown.",
      "Ask for a new link if you still want to see it.",
    ],
    room_expired: ["The link is too old", "A link works for an hour.", "Ask for a new one."],
    room_lost: [
      "The sender is gone",
      "The sender’s page was closed or lost its connection.",
      "Ask for a new link.",
    ],
    network: [
      "No way through between the two networks",
      "One of them blocks direct connections, as some companies, hotels and VPNs do.",
      "Try again on another network, for example a phone’s.",
    ],
    no_relay: [
      "This server has no relay",
      "Without one your IP address can’t be hidden from the other side.",
      "Connect directly, or ask who runs this server for a TURN relay.",
    ],
    timeout: [
      "No connection came about",
      "The other page did not answer in time.",
      "Check that both pages are open, and try again.",
    ],
    verification: [
      "Stopped: the keys do not match",
      "Someone or something changed what the two browsers told each other. No picture was sent.",
      "Use a new link, and send it another way.",
    ],
    insecure: [
      "This page needs HTTPS",
      "Without it, the browser offers no encryption.",
      "Open the address with https:// in front, or localhost on this machine.",
    ],
    no_webrtc: [
      "This browser can’t connect to others",
      "WebRTC is missing or switched off, for example by Lockdown Mode, an extension or an in-app browser.",
      "Try another browser. On an iPhone in Lockdown Mode, allow this one site: the page menu, then Website Settings.",
    ],
    old_browser: [
      "This browser is too old",
      "It can’t decode pictures safely.",
      "Try a newer one; the link stays good.",
    ],
    dismissed: [
      "The sender’s page turned you away",
      "What the two pages told each other did not fit together, or took too long.",
      "Try again; if that does not help, ask for a new link, sent another way.",
    ],
    wrong_code: [
      "These words do not fit the number",
      "One of them was heard or typed wrong.",
      "Ask for them once more. After three wrong tries, ask for the link instead: the code is withdrawn then.",
    ],
    bad_link: [
      "This link is not whole",
      "Part of it got lost on the way.",
      "Copy all of it, up to the last character, or ask for it again.",
    ],
    forgotten: [
      "This session is over",
      "This page was loaded again, and nobody waits for it any more: pages are waited for no longer than two minutes.",
      "Ask for a new link if you still want to see something.",
    ],
  }),
  /** `busy`, where the server said for how long. */
  busyFor: [
    "Too many at once",
    "There were too many tries from your network, or too many people are here.",
    "Try again in {duration}.",
  ] as Why,
  /** Who typed a code has no link. */
  failedCode: why({
    refused: [
      "This number leads nowhere now",
      "The code was used, taken back, is too old, or was withdrawn after wrong tries; or the sender’s page is not open right now.",
      "Check the number first. If it is right, ask for the link.",
    ],
    room_deleted: [
      "The session is over",
      "The sender closed it before anything was shown.",
      "Ask for a new code if you still want to see it.",
    ],
    room_expired: [
      "The code is too old",
      "A code works for an hour at most.",
      "Ask for a new code.",
    ],
    room_lost: [
      "The sender is gone",
      "The sender’s page was closed or lost its connection.",
      "Ask for a new code.",
    ],
    verification: [
      "Stopped: the keys do not match",
      "Someone or something changed what the two browsers told each other. No picture was sent.",
      "Ask for a new code, and have it said another way, for example by phone.",
    ],
  }),
  /** The sender’s own words where the viewer’s would be wrong. */
  failedSender: why({
    forgotten: [
      "This session is over",
      "This page was loaded again, and nobody waits for it any more: pages are waited for no longer than two minutes. Nothing that your friend had not opened can be read any more.",
      "Make a new link.",
    ],
    refused: [
      "The link could not be made",
      "The server did not accept it.",
      "Make a new link.",
    ],
    room_deleted: [
      "The session is over",
      "The server closed it before anybody saw your picture.",
      "Make a new link.",
    ],
    room_expired: [
      "The link is too old",
      "A link works for an hour, and nobody came.",
      "Make a new link.",
    ],
    room_lost: [
      "The link is lost",
      "The server has not heard of this page for too long.",
      "Make a new link.",
    ],
    timeout: [
      "No connection came about",
      "Somebody came again and again, and it never worked out.",
      "Make a new link, and send it another way.",
    ],
  }),
  /** Said beside what happened. */
  /** Ways through that led nowhere, each in a sentence. */
  tried: {
    title: "What was tried",
    direct: "Directly: nothing came through.",
    turn: "Through a relay: it was not reached, or not through.",
    noTurn: "Through a relay: this server has none.",
    server: "Through this server itself: it broke off.",
    noServer: "Through this server itself: who runs it has not switched that on.",
  },
  why: {
    /** Where nothing began. */
    nothingSeen: "Nothing was seen.",
    /** Of a picture that had come, whatever became of others before it. */
    unopened: "The picture was not opened: nothing of it was seen.",
    stayed: "Nothing was seen. Your picture has not left this device.",
    /** On a button that waits. */
    retryIn: "Try again in {duration}",
    /** Somebody waits for a sender who does not come. */
    nobody:
      "The sender’s phone may be asleep, or the page in the background: ask them to look at it. This page goes on by itself.",
  },
  /** What is copied for somebody who is to help. */
  diagnostics: {
    copy: "Copy diagnostics",
    copyFailed: "Could not be copied",
    hint: "No link, no code, no names and no addresses are in it.",
  },
  /** Inviting somebody. */
  invite: {
    share: "Share the link",
    /** Goes along with the link. Nothing of the picture. */
    message: "I want to show you a picture. You can see it once.",
    sound: "Play a sound when someone arrives",
    notify: "Notify me while I look elsewhere",
    notifyRefused: "This browser does not allow it.",
    alerts: "Tell me when someone arrives",
    inApp:
      "This looks like the browser inside of {app}. If something does not work here, open the page in {browser}.",
    anotherApp: "another app",
    usualBrowser: "your usual browser",
    copyPage: "Copy the link",
    copyPageFailed: "Copy it in the message that you got",
  },
  /** In the title of a page that is not looked at, and in notifications: fit for a lock screen. By `data-phase`, and `asked`. */
  news: {
    sender: {
      connecting: "Your friend is here",
      connected: "Your friend is here",
      sending: "Your friend is here",
      delivered: "Delivered",
      asked: "Your friend asks to see it",
      opened: "Your friend is opening it",
      shown: "Your friend is looking at it",
      closed: "It was closed",
      ended: "The session is over",
      failed: "Something went wrong",
    },
    viewer: {
      delivered: "The picture is here",
      ended: "The session is over",
      failed: "Something went wrong",
    },
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
