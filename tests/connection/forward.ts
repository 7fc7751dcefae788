/**
 * Forwards TCP connections from one address to another: `forward.ts 127.0.0.1 3000 100.64.9.1 443`.
 * A browser in a network namespace thus reaches the app at an address that counts as secure. Prints
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
