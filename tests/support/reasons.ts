/**
 * The values of `data-reason` that browser tests expect. They are part of the automation contract,
 * so changing one here breaks other people's tests as well.
 *
 * @module
 */
export const REASON = {
  /** The last picture was closed and no more were to follow. */
  done: "done",
  /** The sender pressed "burn". */
  burned: "burned",
  /** This side pressed "leave". */
  left: "left",
  /** The other side left. */
  peerLeft: "peer_left",
  /** The other side disconnected and did not come back. */
  lost: "lost",
  /** The link is truncated. */
  link: "bad_link",
  /** The link has other characters, another version or another host. */
  foreignLink: "foreign_link",
  /** A number or a word of the code is missing, or there are too many of them. */
  incompleteCode: "incomplete_code",
  /** A typed word is not in the list. */
  unknownWord: "unknown_word",
  /** The words do not match the number. */
  wrongCode: "wrong_code",
  /** One of the two reported that they see different things. */
  mismatch: "mismatch",
  /** Unknown room, used link, or room taken: the server does not reveal which. */
  refused: "refused",
  /** The server can't be reached. */
  server: "unreachable",
  /** The two networks can't connect. */
  network: "network",
  /** The address was to stay hidden, and the server offers no relay. */
  noRelay: "no_relay",
  /** The browser has no WebRTC. */
  webrtc: "no_webrtc",
  /** Not a secure context: no crypto.subtle. */
  insecure: "insecure",
} as const;
