/**
 * All limits of the protocol with their reasons, defined once for server, browser and documents.
 *
 * This module is browser compatible.
 *
 * @module
 */

/** Version byte of the handshake and of the link. */
export const PROTOCOL_VERSION = 1;

/** WebSocket subprotocol that both ends have to name. */
export const SUBPROTOCOL = "img-e2e.1";

/**
 * Longest signaling message other than `data`, in UTF-16 units (JSON text is ASCII here, so also
 * bytes): the largest honest one is an SDP offer.
 */
export const MAX_SIGNAL_LENGTH = 8 * 1024;

/** Longest opaque payload of `relay`, in characters: with the JSON around it still below 8 KiB. */
export const MAX_RELAY_LENGTH = 6_144;

/**
 * Longest payload of `data`, in characters: a frame of the relay, 5 bytes and a record of 64 KiB,
 * in base64url.
 */
export const MAX_DATA_LENGTH = 87_388;

/** Longest `data` message, with the JSON around it. */
export const MAX_DATA_MESSAGE_LENGTH = MAX_DATA_LENGTH + 64;

/** Shortest and longest life of a room, in seconds. */
export const MIN_TTL_S = 60;
export const MAX_TTL_S = 3_600;

/**
 * A socket without a first message after this time, in ms, is closed: it uses memory and has no
 * seat.
 */
export const FIRST_MESSAGE_MS = 5_000;

/**
 * Interval of the server's `ping`, in ms. Browsers can't send WebSocket pings, and their background
 * timers are slow.
 */
export const HEARTBEAT_MS = 20_000;

/**
 * A socket without any message for this long, in ms, counts as dead: two heartbeats and a margin.
 */
export const HEARTBEAT_TIMEOUT_MS = 50_000;

/**
 * The grace period, in ms: how long a seat waits for its lost socket, and a session for its peer.
 * Enough for a phone that sleeps while its owner is in the chat app.
 */
export const SEAT_GRACE_MS = 120_000;

/** Largest picture in bytes. */
export const MAX_IMAGE_BYTES = 64 * 1024 * 1024;

/** Largest picture in pixels: 40 MP decode to 160 MB, about what a phone can give. */
export const MAX_IMAGE_PIXELS = 40_000_000;

/** Largest width or height in pixels: the limit of canvases in common browsers. */
export const MAX_IMAGE_SIDE = 16_384;

/** Pictures that one side may announce in a session. */
export const MAX_IMAGES = 20;

/** Most control records in each direction; far below what AES-GCM with a counter nonce allows. */
export const MAX_CONTROL_RECORDS = 2 ** 16;

/** Control plaintexts are padded to a multiple of this, so that lengths reveal little. */
export const CONTROL_PADDING = 256;

/**
 * Longest plaintext of a control record: `meta` with all its texts full of characters that JSON has
 * to escape.
 */
export const MAX_CONTROL_BYTES = 8_192;

/** Longest name, alternative text, caption and watermark text, in UTF-16 units. */
export const MAX_NAME_LENGTH = 255;
export const MAX_ALT_LENGTH = 500;
export const MAX_CAPTION_LENGTH = 300;
export const MAX_MARK_LENGTH = 80;

/** Longest time that a picture may be granted, in seconds. */
export const MAX_VIEW_SECONDS = 600;

/** Longest time on screen that can be reported, in ms: a day. */
export const MAX_REPORT_MS = 86_400_000;

/** The first record on the control channel has to verify within this time, in ms. */
export const BIND_TIMEOUT_MS = 10_000;

/**
 * Number of guesses after which a code is no longer used. The sender counts failed confirmations,
 * the viewer counts answered HELLOs. With 33 bits of words, three guesses succeed once in three
 * billion times.
 */
export const MAX_CODE_GUESSES = 3;

/**
 * Handshakes that one side may confirm, or answer, without a bound connection. Until one is bound,
 * the SAS that two people compare is at most that many times likelier to match by chance. More than
 * any honest pair needs, on any network.
 */
export const MAX_HANDSHAKES = 16;

/**
 * How long digits stay unused after their room ended or they were withdrawn, in ms: somebody with
 * an old note must not meet a stranger.
 */
export const CODE_REST_MS = 600_000;

/** Longest delay that a busy server may ask for, in seconds. */
export const MAX_RETRY_S = 3_600;

/**
 * How long a handshake and the connection after it may take before the page reports a failure, in
 * ms.
 */
export const CONNECT_TIMEOUT_MS = 30_000;
