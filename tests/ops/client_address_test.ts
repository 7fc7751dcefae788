import { parseConfig } from "../../lib/ops/config.ts";
import { clientKey, parseAddress } from "../../lib/ops/client_address.ts";
import { assertEquals } from "../support/assert.ts";

const PROXIES = "10.0.0.0/8, 192.168.1.7, 2001:db8:f00d::/48, ::ffff:172.16.0.0/108";

function key(peer: string, forwarded: string | null = null, proxies = ""): string {
  return clientKey(peer, forwarded, parseConfig({ TRUSTED_PROXIES: proxies }).TRUSTED_PROXIES);
}

Deno.test("parseAddress() reads every spelling of an address, and nothing else", () => {
  const hex = (text: string) => {
    const bytes = parseAddress(text);
    return bytes === null ? null : bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  };
  const zeros = "0".repeat(30);
  const cases: Record<string, string | null> = {
    "192.0.2.1": "c0000201",
    "::ffff:192.0.2.1": "c0000201",
    "::FFFF:c000:201": "c0000201",
    "::1": `${zeros}01`,
    "::": `${zeros}00`,
    "2001:DB8::8:800:200C:417A": "20010db80000000000080800200c417a",
    "2001:db8:0:0:8:800:200c:417a": "20010db80000000000080800200c417a",
    "fe80::1%eth0": `fe80${"0".repeat(26)}01`,
    "64:ff9b::192.0.2.33": "0064ff9b0000000000000000c0000221",
  };
  const junk = [
    "",
    "unknown",
    "localhost",
    "1.2.3",
    "1.2.3.4.5",
    "256.1.1.1",
    "1.2.3.4:80",
    "[::1]",
    "[::1]:80",
    "_hidden",
    ":::",
    "::1::",
    "1:2:3:4:5:6:7:8:9",
    "::1]/@[::1",
    "::1%",
    "0x7f.0.0.1",
    "2130706433",
    "\u0661.1.1.1",
    `${"0".repeat(60)}::1`,
  ];
  for (const text of junk) cases[text] = null;
  for (const [text, expected] of Object.entries(cases)) {
    assertEquals([text, hex(text)], [text, expected]);
  }
});

Deno.test("clientKey() takes the address of the socket if no proxy is trusted", () => {
  for (const header of [null, "", "203.0.113.9", "203.0.113.9, 10.0.0.1"]) {
    assertEquals(key("192.0.2.1", header), "192.0.2.1");
    assertEquals(key("::ffff:192.0.2.1", header), "192.0.2.1");
    assertEquals(key("10.0.0.1", header), "10.0.0.1");
  }
});

Deno.test("clientKey() ignores headers from anyone but a listed proxy", () => {
  for (const peer of ["11.0.0.1", "9.255.255.255", "192.168.1.8", "192.168.1.6"]) {
    assertEquals(key(peer, "203.0.113.9", PROXIES), peer);
  }
  assertEquals(key("2001:db8:f00e::1", "203.0.113.9", PROXIES), "20010db8f00e0000/64");
  assertEquals(key("172.32.0.1", "203.0.113.9", PROXIES), "172.32.0.1");
});

Deno.test("clientKey() believes a listed proxy, in every spelling of its address", () => {
  for (
    const peer of [
      "10.0.0.0",
      "10.255.255.255",
      "::ffff:10.1.2.3",
      "192.168.1.7",
      "2001:db8:f00d::9",
      "2001:DB8:F00D:1::1",
      "172.31.255.255",
    ]
  ) assertEquals(key(peer, "203.0.113.9", PROXIES), "203.0.113.9");
});

Deno.test("clientKey() reads from the right and skips proxies, so clients can't forge it", () => {
  const spoofed = {
    "1.1.1.1, 203.0.113.9": "203.0.113.9",
    "10.0.0.5, 203.0.113.9": "203.0.113.9",
    "1.1.1.1, 203.0.113.9, 10.0.0.2, 192.168.1.7": "203.0.113.9",
    "1.1.1.1,203.0.113.9 ,10.0.0.2": "203.0.113.9",
    "garbage, 203.0.113.9": "203.0.113.9",
    "2001:db8:1:2:3:4:5:6": "20010db800010002/64",
  };
  for (const [header, expected] of Object.entries(spoofed)) {
    assertEquals([header, key("10.0.0.1", header, PROXIES)], [header, expected]);
  }
  const everybody = key("10.0.0.1", "1.1.1.1, 203.0.113.9", "0.0.0.0/0");
  assertEquals(everybody, "1.1.1.1", "all trusted: the leftmost");
});

Deno.test("clientKey() takes the proxy itself where it forwarded no address", () => {
  const garbage = [
    null,
    "",
    " ",
    ",",
    "unknown",
    "203.0.113.9,",
    "203.0.113.9:4711",
    "[::1]:1",
    "a".repeat(9_999),
  ];
  for (const header of garbage) assertEquals(key("10.0.0.1", header, PROXIES), "10.0.0.1");
  assertEquals(key("10.0.0.1", "203.0.113.9, nonsense, 10.0.0.2", PROXIES), "10.0.0.2");
});

Deno.test("clientKey() identifies an IPv6 client by its /64, own addresses as one", () => {
  const a = key("2001:db8:1:2::1");
  assertEquals(a, key("2001:db8:1:2:ffff:ffff:ffff:ffff"));
  assertEquals(a === key("2001:db8:1:3::1"), false);
  assertEquals(a === key("2001:db9:1:2::1"), false);
});

Deno.test("clientKey() has one key for sockets without an IP address", () => {
  assertEquals(key("", "203.0.113.9", "0.0.0.0/0"), "unknown");
  assertEquals(key("localhost"), "unknown");
});
