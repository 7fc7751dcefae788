/**
 * The values of `data-reason` that browser tests expect: part of the automation contract, so a
 * change here is one that breaks other people's tests as well.
 *
 * @module
 */
export const REASON = {
  /** The last picture was closed and nothing was to follow. */
  done: "done",
  /** The sender pressed "burn". */
  burned: "burned",
  /** This side pressed "leave". */
  left: "left",
  /** The other side left. */
  peerLeft: "peer_left",
  /** The other side vanished and did not come back. */
  lost: "lost",
  /** The link is cut, mistyped, or of another version. */
  link: "bad_link",
  /** A number or a word of the code is missing, or there is more than that. */
  incompleteCode: "incomplete_code",
  /** What was typed has a word that is not in the list. */
  unknownWord: "unknown_word",
  /** The words do not fit the number. */
  wrongCode: "wrong_code",
  /** Somebody on either side said that the two see different things. */
  mismatch: "mismatch",
  /** Unknown room, used link, room taken: the server tells nobody which. */
  refused: "refused",
  /** The server can't be reached. */
  server: "unreachable",
  /** No way through between the two networks. */
  network: "network",
  /** The address was to stay hidden, and the server has no relay. */
  noRelay: "no_relay",
  /** The browser has no WebRTC. */
  webrtc: "no_webrtc",
  /** Not a secure context: no crypto.subtle. */
  insecure: "insecure",
} as const;
