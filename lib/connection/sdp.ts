/**
 * Checks the peer's SDP and candidates. The SDP's fingerprint has to be the one of the handshake:
 * that ties the DTLS connection to the keys.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { Bytes } from "../protocol/bytes.ts";
import { equalBytes } from "../protocol/bytes.ts";
import { ProtocolError } from "../e2e/suite.ts";

/** Longest SDP and candidate that an honest peer sends, in characters. */
const MAX_SDP_LENGTH = 8_192;
const MAX_CANDIDATE_LENGTH = 1_024;

/** Parses `AB:CD:…` (32 pairs of hex digits) into 32 bytes; `null` for anything else. */
export function parseFingerprint(text: string): Bytes | null {
  if (!/^([0-9a-fA-F]{2}:){31}[0-9a-fA-F]{2}$/.test(text)) return null;
  return new Uint8Array(text.split(":").map((pair) => parseInt(pair, 16)));
}

/** The SHA-256 fingerprint of an SDP that has exactly one, or `null`. */
export function sdpFingerprint(sdp: string): Bytes | null {
  const lines = sdp.split(/\r\n|\r|\n/).filter((line) => /^a=fingerprint/i.test(line));
  const match = /^a=fingerprint:sha-256 ([0-9a-fA-F:]+)$/i.exec(lines[0] ?? "");
  return lines.length === 1 && match?.[1] !== undefined ? parseFingerprint(match[1]) : null;
}

/**
 * Checks an SDP of the peer: exactly one fingerprint, SHA-256, equal to the handshake's, and
 * exactly one m-line, for an application. Throws {@linkcode ProtocolError}.
 */
export function checkSdp(sdp: string, fingerprint: Bytes): void {
  if (sdp.length > MAX_SDP_LENGTH) throw new ProtocolError();
  const media = sdp.split(/\r\n|\r|\n/).filter((line) => /^m=/i.test(line));
  if (media.length !== 1 || !/^m=application /.test(media[0] ?? "")) throw new ProtocolError();
  const found = sdpFingerprint(sdp);
  if (found === null || !equalBytes(found, fingerprint)) throw new ProtocolError();
}

/**
 * Encodes an ICE candidate for M6; the empty string means that there are no more. With `relayOnly`,
 * returns `null` for any candidate that is not a TURN relay's, and blanks the related address in
 * those that are: it is this side's own. Browsers do both themselves under the policy `relay`; this
 * function does not rely on that.
 */
export function encodeCandidate(
  candidate: Pick<RTCIceCandidate, "candidate"> | null,
  relayOnly = false,
): string | null {
  const text = candidate?.candidate ?? "";
  if (!relayOnly || text === "") return text;
  if (!/^candidate:(\S+ ){6}typ relay( |$)/.test(text)) return null;
  return text.replace(/ raddr \S+/, " raddr 0.0.0.0").replace(/ rport \S+/, " rport 0");
}

/**
 * Decodes an ICE candidate of M6. There is one m-line, so its index is always 0. Returns `null` for
 * the end of candidates. Throws {@linkcode ProtocolError} if `text` is not a candidate line.
 */
export function decodeCandidate(text: string): RTCIceCandidateInit | null {
  if (text === "") return null;
  if (text.length > MAX_CANDIDATE_LENGTH || !/^candidate:[\x20-\x7e]+$/.test(text)) {
    throw new ProtocolError();
  }
  return { candidate: text, sdpMLineIndex: 0 };
}
