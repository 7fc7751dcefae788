import {
  checkSdp,
  decodeCandidate,
  encodeCandidate,
  parseFingerprint,
  sdpFingerprint,
} from "../../lib/connection/sdp.ts";
import { ProtocolError, randomBytes } from "../../lib/e2e/suite.ts";
import type { Bytes } from "../../lib/protocol/bytes.ts";
import { assert, assertEquals, assertThrows } from "../support/assert.ts";

const OWN = randomBytes(32);

function colons(fingerprint: Bytes): string {
  return Array.from(fingerprint, (byte) => byte.toString(16).padStart(2, "0").toUpperCase())
    .join(":");
}

const MEDIA = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel";
const PRINT = `a=fingerprint:sha-256 ${colons(OWN)}`;

/** As Chromium writes it: the fingerprint belongs to the m-line. */
function sdp(...lines: readonly string[]): string {
  return ["v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0", ...lines, ""].join("\r\n");
}

const HONEST: readonly [name: string, sdp: string][] = [
  ["of Chromium", sdp(MEDIA, "c=IN IP4 0.0.0.0", "a=ice-ufrag:abcd", PRINT, "a=setup:actpass")],
  ["of Firefox, with the fingerprint before the m-line", sdp(PRINT, MEDIA)],
  ["with line feeds only", sdp(MEDIA, PRINT).replaceAll("\r\n", "\n")],
  ["with the fingerprint in lower case", sdp(MEDIA, PRINT.toLowerCase())],
  ["with the hash's name in upper case", sdp(MEDIA, PRINT.replace("sha-256", "SHA-256"))],
];

for (const [name, text] of HONEST) {
  Deno.test(`an SDP ${name} is accepted`, () => {
    checkSdp(text, OWN);
    assertEquals(sdpFingerprint(text), OWN);
  });
}

const foreign = randomBytes(32);
const FOREIGN = `a=fingerprint:sha-256 ${colons(foreign)}`;
const SHA1 = `a=fingerprint:sha-1 ${colons(OWN.slice(0, 20))}`;

const HOSTILE: readonly [name: string, sdp: string][] = [
  ["with a foreign fingerprint", sdp(MEDIA, FOREIGN)],
  ["without a fingerprint", sdp(MEDIA)],
  ["with the fingerprint twice", sdp(PRINT, MEDIA, PRINT)],
  ["with a foreign fingerprint after the right one", sdp(MEDIA, PRINT, FOREIGN)],
  ["with a foreign fingerprint before the right one", sdp(FOREIGN, MEDIA, PRINT)],
  ["with a second fingerprint in upper case", sdp(MEDIA, PRINT, FOREIGN.toUpperCase())],
  ["with a second fingerprint after a bare carriage return", sdp(MEDIA, `${PRINT}\r${FOREIGN}`)],
  ["with a SHA-1 fingerprint", sdp(MEDIA, SHA1)],
  ["with a SHA-1 fingerprint next to the right one", sdp(MEDIA, PRINT, SHA1)],
  ["with a SHA-512 fingerprint", sdp(MEDIA, PRINT.replace("256", "512"))],
  ["with a fingerprint that lacks a byte", sdp(MEDIA, PRINT.slice(0, -3))],
  ["with a fingerprint that has a byte too many", sdp(MEDIA, `${PRINT}:00`)],
  ["with something after the fingerprint", sdp(MEDIA, `${PRINT} ${colons(foreign)}`)],
  ["with a second m-line for an application", sdp(MEDIA, PRINT, MEDIA)],
  ["with another m-line for sound", sdp(MEDIA, PRINT, "m=audio 9 UDP/TLS/RTP/SAVPF 111")],
  ["with an m-line for sound first", sdp("m=audio 9 UDP/TLS/RTP/SAVPF 111", MEDIA, PRINT)],
  ["with an m-line for sound only", sdp("m=audio 9 UDP/TLS/RTP/SAVPF 111", PRINT)],
  ["without an m-line", sdp(PRINT)],
  ["that is empty", ""],
  ["of more than 8 KiB", sdp(MEDIA, PRINT, `a=x:${"x".repeat(8_192)}`)],
];

for (const [name, text] of HOSTILE) {
  Deno.test(`an SDP ${name} is refused`, () => {
    assertThrows(() => checkSdp(text, OWN), ProtocolError);
  });
}

Deno.test("a fingerprint that differs in one bit is refused, wherever the bit is", () => {
  for (const at of [0, 15, 31]) {
    const near = OWN.with(at, (OWN[at] ?? 0) ^ 1);
    assertThrows(() => checkSdp(sdp(MEDIA, PRINT), near), ProtocolError);
  }
});

Deno.test("parseFingerprint() reads 32 pairs of hex digits and nothing else", () => {
  assertEquals(parseFingerprint(colons(OWN)), OWN);
  for (
    const text of ["", "AA", colons(OWN).replaceAll(":", ""), `${colons(OWN)}:`, "ZZ:".repeat(32)]
  ) {
    assertEquals(parseFingerprint(text), null);
  }
});

const CANDIDATE = "candidate:1 1 udp 2113937151 0d5a.local 50000 typ host generation 0";

Deno.test("an ICE candidate survives the wire, and so does the end of candidates", () => {
  assertEquals(decodeCandidate(CANDIDATE), { candidate: CANDIDATE, sdpMLineIndex: 0 });
  assertEquals(encodeCandidate(null), "");
  assertEquals(decodeCandidate(""), null);
});

Deno.test("encodeCandidate() does not reveal local addresses that are to stay hidden", () => {
  const own = "198.51.100.7";
  const relay = "candidate:7 1 udp 41885951 203.0.113.9 50123 typ relay";
  const more = "generation 0 ufrag xYz1 network-cost 999";
  const lines = [
    `candidate:1 1 udp 2122260223 ${own} 54321 typ host ${more}`,
    `candidate:1 1 tcp 1518280447 ${own} 9 typ host tcptype active ${more}`,
    `candidate:2 1 udp 1686052607 ${own} 54321 typ srflx raddr 192.168.1.5 rport 54321 ${more}`,
    `candidate:3 1 udp 1686052607 ${own} 54321 typ prflx raddr 192.168.1.5 rport 54321 ${more}`,
    `${relay} raddr ${own} rport 54321 ${more}`,
    `${relay} raddr 2001:db8::7 rport 54321`,
  ];
  assertEquals(lines.map((candidate) => encodeCandidate({ candidate })), lines);
  assertEquals(lines.map((candidate) => encodeCandidate({ candidate }, true)), [
    null,
    null,
    null,
    null,
    `${relay} raddr 0.0.0.0 rport 0 ${more}`,
    `${relay} raddr 0.0.0.0 rport 0`,
  ]);
  // The other side's claim: the type is the word after the address, not one anywhere.
  const sly = `candidate:1 1 udp 1 ${own} 1 typ host generation 0 ufrag typ relay`;
  assertEquals(encodeCandidate({ candidate: sly }, true), null);
  assertEquals(encodeCandidate(null, true), "");
});

for (
  const [name, text] of [
    ["without its keyword", CANDIDATE.slice(10)],
    ["as an SDP line", `a=${CANDIDATE}`],
    ["with a second line after it", `${CANDIDATE}\r\na=fingerprint:sha-256 ${colons(foreign)}`],
    ["with a character beyond ASCII", `${CANDIDATE}é`],
    ["of more than 1 KiB", CANDIDATE + "x".repeat(1_024)],
    ["that is only a keyword", "candidate:"],
  ] as const
) {
  Deno.test(`an ICE candidate ${name} is refused`, () => {
    assert(text !== CANDIDATE);
    assertThrows(() => decodeCandidate(text), ProtocolError);
  });
}
