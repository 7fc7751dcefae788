import { encodeHex } from "@std/encoding/hex";
import { parseAddress } from "../../lib/ops/client_address.ts";
import { formatBindingResponse, parseBindingRequest } from "../../lib/ops/stun.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { fc } from "../support/fast_check.ts";

function hex(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    text.replaceAll(/\s/g, "").match(/../g) ?? [],
    (pair) => parseInt(pair, 16),
  );
}

/** RFC 5769, section 2.1: a request as ICE sends it. */
const ICE_REQUEST = hex(`
  0001 0058 2112a442 b7e7a701bc34d686fa87dfae
  8022 0010 5354554e207465737420636c69656e74
  0024 0004 6e0001ff
  8029 0008 932ff9b151263b36
  0006 0009 6576746a3a68367659202020
  0008 0014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2
  8028 0004 e57a3bcf`);

/** RFC 5769, section 2.4: a request with long-term credentials. */
const LONG_TERM_REQUEST = hex(`
  0001 0060 2112a442 78ad3433c6ad72c029da412e
  0006 0012 e3839ee38388e383aae38383e382afe382b90000
  0015 001c 662f2f3439396b39353464364f4c33346f4c394653547679363473 41
  0014 000b 6578616d706c652e6f726700
  0008 0014 f67024656dd64a3e02b8e0712e85c9a28ca89666`);

/** Sections 2.2 and 2.3: the addresses in the two responses, and how they are written. */
const MAPPED = [
  ["192.0.2.1", "0020 0008 0001 a147 e112a643"],
  [
    "2001:db8:1234:5678:11:2233:4455:6677",
    "0020 0014 0002 a147 0113a9faa5d3f179bc25f4b5bed2b9d9",
  ],
] as const;
const PORT = 32_853;

/** The shortest request, which is what browsers send. */
const SHORTEST = hex("0001 0000 2112a442 b7e7a701bc34d686fa87dfae");

/** A request with these attributes. */
function requestWith(...attributes: readonly string[]): Uint8Array<ArrayBuffer> {
  const body = hex(attributes.join(""));
  const packet = new Uint8Array([...SHORTEST, ...body]);
  new DataView(packet.buffer).setUint16(2, body.length);
  return packet;
}

function answer(packet: Uint8Array, address = "192.0.2.1"): Uint8Array {
  const request = parseBindingRequest(packet);
  assert(request !== null);
  return formatBindingResponse(request, parseAddress(address) ?? [], PORT);
}

Deno.test("the requests of RFC 5769 are Binding requests, with their transaction", () => {
  for (const packet of [ICE_REQUEST, LONG_TERM_REQUEST, SHORTEST]) {
    const request = parseBindingRequest(packet);
    assertEquals(request, { transaction: packet.slice(8, 20), unknown: [] });
  }
});

for (const [address, attribute] of MAPPED) {
  Deno.test(`the response to ${address} has its address as RFC 5769 writes it, and no more`, () => {
    const response = encodeHex(answer(ICE_REQUEST, address));
    const expected = encodeHex(hex(attribute));
    const length = (expected.length / 2).toString(16).padStart(4, "0");
    assertEquals(response, `0101${length}2112a442b7e7a701bc34d686fa87dfae${expected}`);
  });
}

Deno.test("an attribute that has to be understood and is not gets the error 420", () => {
  const response = encodeHex(answer(requestWith("0003 0004 00000004")));
  assertEquals(
    response,
    encodeHex(
      hex("0111 0010 2112a442 b7e7a701bc34d686fa87dfae 0009 0004 00000414 000a 0002 00030000"),
    ),
  );
});

Deno.test("an attribute that may be ignored is ignored", () => {
  assertEquals(answer(requestWith("8022 0003 41424300")).length, 32);
  assertEquals(answer(requestWith("ffff 0000")).length, 32);
});

Deno.test("no response is much longer than its request", () => {
  const demanding = Array.from({ length: 120 }, (_, i) => `0${(0x100 + i).toString(16)}0000`);
  for (
    const [packet, longest] of [
      [SHORTEST, 44],
      [requestWith("01000000"), 44],
      [requestWith(...demanding), 44],
      [ICE_REQUEST, 44],
    ] as const
  ) assert(answer(packet, "2001:db8::1").length <= longest);
});

Deno.test("anything else is no request", () => {
  const changed = (at: number, value: number) => {
    const packet = ICE_REQUEST.slice();
    packet[at] = value;
    return packet;
  };
  for (
    const [what, packet] of [
      ["nothing", new Uint8Array(0)],
      ["half a header", SHORTEST.slice(0, 19)],
      ["a cut request", ICE_REQUEST.slice(0, -1)],
      ["more behind it", new Uint8Array([...ICE_REQUEST, 0, 0, 0, 0])],
      ["a response", changed(0, 1)],
      ["an indication", changed(1, 0x11)],
      ["a TURN allocation", changed(1, 3)],
      ["RTP", changed(0, 0x80)],
      ["no cookie, as in RFC 3489", changed(4, 0)],
      ["a length that is too long", changed(3, 0x5c)],
      ["a length that is too short", changed(3, 0x54)],
      ["an attribute beyond the end", changed(23, 0xff)],
      ["half an attribute", requestWith("8022")],
      ["a long packet", requestWith(`8022 0240 ${"00".repeat(0x240)}`)],
    ] as const
  ) assertEquals([what, parseBindingRequest(packet)], [what, null]);
});

Deno.test("no packet makes the parser throw, or a response longer than 44 bytes", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 600 }),
        fc.uint8Array({ maxLength: 200 }).map((body) => {
          const packet = new Uint8Array([...SHORTEST, ...body]);
          new DataView(packet.buffer).setUint16(2, body.length);
          return packet;
        }),
        fc.tuple(fc.nat(ICE_REQUEST.length - 1), fc.nat(255)).map(([at, value]) => {
          const packet = ICE_REQUEST.slice();
          packet[at] = value;
          return packet;
        }),
      ),
      fc.boolean(),
      (bytes, six) => {
        // A view of something larger: only its own bytes may count.
        const larger = new Uint8Array([9, 9, ...bytes, 9]);
        const request = parseBindingRequest(larger.subarray(2, 2 + bytes.length));
        assertEquals(request, parseBindingRequest(bytes));
        if (request === null) return;
        const address = parseAddress(six ? "2001:db8::1" : "192.0.2.1") ?? [];
        const response = formatBindingResponse(request, address, 65_535);
        assert(response.length <= 44 && response.length % 4 === 0);
        assertEquals(response.slice(8, 20), bytes.slice(8, 20));
      },
    ),
    { seed: 20_260_603, numRuns: 3_000 },
  );
});
