/**
 * Byte layouts of the handshake messages M1…M8, which are sent as `d` of `relay`.
 *
 * This module is browser compatible.
 *
 * @module
 */

/** First byte of each message. */
export const HANDSHAKE = {
  commit: 0x01,
  helloS: 0x02,
  helloR: 0x03,
  offer: 0x04,
  answer: 0x05,
  candidate: 0x06,
  repair: 0x07,
  reloaded: 0x08,
} as const;

/**
 * Mode byte of M1: where the shared secret comes from. `resume`: from an earlier handshake, after
 * one of the pages was reloaded.
 */
export const MODE = { link: 1, code: 2, resume: 3 } as const;

/** M8, `08 ver ‖ nonce 16 ‖ mac 32`: S's page was reloaded, and asks R to resume. */
export const NOTICE_NONCE_LENGTH = 16;
export const NOTICE_LENGTH = 2 + NOTICE_NONCE_LENGTH + 32;

/** M1: `01 ver mode ‖ H(enc("img-e2e/1 commit", HELLO_R)) 32`. */
export const COMMIT_LENGTH = 3 + 32;

/** Length of Ya and Yb, the two shares of the CPace exchange that a code adds. */
export const SHARE_LENGTH = 65;

/** M2: `02 ver ‖ epk 65 ‖ nonce 32 ‖ fp 32 ‖ ek 1184`, followed by `Ya 65` with a code. */
export const HELLO_S_LENGTH = 2 + 65 + 32 + 32 + 1184;

/** The committed part of M3: `03 ver ‖ epk 65 ‖ nonce 32 ‖ fp 32`. */
export const HELLO_R_LENGTH = 2 + 65 + 32 + 32;

/** M3: HELLO_R ‖ `ct 1088` [‖ `Yb 65` with a code] ‖ `macR 32`; this is its length without Yb. */
export const M3_LENGTH = HELLO_R_LENGTH + 1088 + 32;

/** Where epk, nonce and fp start in both HELLOs, and ek in HELLO_S. */
export const HELLO_EPK_AT = 2;
export const HELLO_NONCE_AT = 2 + 65;
export const HELLO_FP_AT = 2 + 65 + 32;
export const HELLO_EK_AT = 2 + 65 + 32 + 32;
