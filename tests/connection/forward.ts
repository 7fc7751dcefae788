/**
 * Passes TCP connections of one address on to another: `forward.ts 127.0.0.1 3000 100.64.9.1 443`.
 * It lets a browser in a network namespace reach the app at an address that counts as secure. Says
 * "ready" when it listens.
 *
 * @module
 */
const [hostname = "", port = "", toHostname = "", toPort = ""] = Deno.args;
const listener = Deno.listen({ hostname, port: Number(port) });
await Deno.stdout.write(new TextEncoder().encode("ready\n"));
for await (const near of listener) {
  Deno.connect({ hostname: toHostname, port: Number(toPort) }).then((far) => {
    near.readable.pipeTo(far.writable).catch(() => {});
    far.readable.pipeTo(near.writable).catch(() => {});
  }, () => near.close());
}
