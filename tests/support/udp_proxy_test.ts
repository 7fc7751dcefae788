import { createSocket } from "node:dgram";
import { once } from "node:events";
import { assert, assertEquals } from "./assert.ts";
import { serveBlank } from "./blank.ts";
import { launchBrowser } from "./browser.ts";
import { type Conditions, hasUdpProxy, PROXY_ARGS, UdpProxy } from "./udp_proxy.ts";

const ignore = !hasUdpProxy;

/** Two sockets of this process, and a proxy between them. */
class Ends implements AsyncDisposable {
  readonly #sockets = [createSocket("udp4"), createSocket("udp4")] as const;
  readonly heard: number[] = [];
  readonly proxy: UdpProxy;
  #port = 0;

  constructor(proxy: UdpProxy) {
    this.proxy = proxy;
  }

  static async open(conditions: Conditions, seed?: number): Promise<Ends> {
    const ends = new Ends(await UdpProxy.open(conditions, seed));
    for (const socket of ends.#sockets) {
      socket.bind(0, "127.0.0.1");
      await once(socket, "listening");
    }
    const [, second] = ends.#sockets;
    ends.#port = await ends.proxy.port(1, "127.0.0.1", second.address().port);
    second.on("message", (message) => void ends.heard.push(message.readUInt32BE(0)));
    return ends;
  }

  async say(n: number): Promise<void> {
    const message = new Uint8Array(200);
    new DataView(message.buffer).setUint32(0, n);
    const sent = Promise.withResolvers<void>();
    this.#sockets[0].send(message, this.#port, "127.0.0.1", () => sent.resolve());
    await sent.promise;
  }

  /** Waits until `said` packets were forwarded or dropped by the proxy. */
  async through(said: number): Promise<void> {
    let through = 0;
    while (through < said) {
      const [, to] = await this.proxy.counts();
      through = to === undefined ? 0 : to.passed + to.lost + to.overflowed;
    }
  }

  /** Waits until all forwarded packets have arrived. */
  async settle(said: number): Promise<void> {
    await this.through(said);
    const [, to] = await this.proxy.counts();
    for (let i = 0; i < 500 && this.heard.length < (to?.passed ?? 0); i++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.close();
    await this.proxy[Symbol.asyncDispose]();
  }
}

async function heardOf(count: number, conditions: Conditions, seed?: number): Promise<number[]> {
  await using ends = await Ends.open(conditions, seed);
  for (let n = 0; n < count; n++) await ends.say(n);
  await ends.settle(count);
  return ends.heard;
}

const ALL = Array.from({ length: 50 }, (_, n) => n);

Deno.test({
  name: "a UDP proxy forwards everything in order, even if the delay gets shorter",
  ignore,
  async fn() {
    await using ends = await Ends.open({ rttMs: 200 });
    for (const n of ALL.slice(0, 25)) await ends.say(n);
    // All of them have entered before the condition changes.
    let entered = 0;
    while (entered < 25) entered = (await ends.proxy.counts())[1]?.entered ?? 0;
    await ends.proxy.set({ rttMs: 0 });
    for (const n of ALL.slice(25)) await ends.say(n);
    await ends.settle(50);
    assertEquals(ends.heard, ALL);
  },
});

Deno.test({
  name: "a UDP proxy keeps a packet for half of the round trip",
  ignore,
  async fn() {
    await using ends = await Ends.open({ rttMs: 0 });
    await ends.say(0);
    await ends.settle(1);
    await ends.proxy.set({ rttMs: 4_000 });
    const before = performance.now();
    await ends.say(1);
    await ends.through(2);
    // Never sooner; how much later depends on the machine.
    assert(performance.now() - before >= 1_999, "it came too early");
    await ends.settle(2);
    assertEquals(ends.heard, [0, 1]);
  },
});

Deno.test({
  name: "a UDP proxy loses the share that it was told to, and the same ones for the same seed",
  ignore,
  async fn() {
    const first = await heardOf(200, { loss: 0.2 }, 5);
    assert(first.length > 120 && first.length < 190, `${first.length} of 200`);
    assertEquals(await heardOf(200, { loss: 0.2 }, 5), first);
    assert(String(await heardOf(200, { loss: 0.2 }, 6)) !== String(first), "another seed");
    assertEquals(await heardOf(20, { loss: 1 }), []);
  },
});

Deno.test({
  name: "a UDP proxy with a narrow wire lets so much wait and no more",
  ignore,
  async fn() {
    // One packet takes 20 s: the first is being sent, two are queued, and the queue is full.
    await using ends = await Ends.open({ bytesPerMs: 0.01, queueBytes: 600 });
    for (let n = 0; n < 10; n++) await ends.say(n);
    let overflowed = 0;
    for (let i = 0; i < 200 && overflowed < 7; i++) {
      overflowed = (await ends.proxy.counts())[1]?.overflowed ?? 0;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assertEquals(overflowed, 7);
  },
});

Deno.test({
  name: "two pages that are attached to a UDP proxy have no way around it",
  ignore,
  async fn() {
    await using proxy = await UdpProxy.open({ rttMs: 20 });
    await using site = serveBlank();
    await using browser = await launchBrowser({ args: PROXY_ARGS });
    const [a, b] = [await browser.newPage(), await browser.newPage()];
    for (const page of [a, b]) {
      await proxy.attach(page);
      await page.page.goto(site.url);
    }
    const offer = await a.page.evaluate(async () => {
      const pc = new RTCPeerConnection();
      Reflect.set(globalThis, "pc", pc);
      const channel = pc.createDataChannel("x", { negotiated: true, id: 0 });
      channel.onopen = () => Reflect.set(globalThis, "opened", true);
      await pc.setLocalDescription();
      await new Promise<void>((resolve) => {
        pc.onicegatheringstatechange = () => {
          if (pc.iceGatheringState === "complete") resolve();
        };
      });
      return pc.localDescription?.sdp ?? "";
    });
    assert(offer.includes("typ host"), "no candidates");
    const answer = await b.page.evaluate(async (sdp) => {
      const pc = new RTCPeerConnection();
      const channel = pc.createDataChannel("x", { negotiated: true, id: 0 });
      channel.onopen = () => channel.send("hello");
      const lines = sdp.split("\r\n");
      const bare = lines.filter((line) => !line.startsWith("a=candidate:"));
      const offered = { type: "offer", sdp: bare.join("\r\n") } as const;
      await pc.setRemoteDescription(offered);
      // One by one, as they trickle.
      for (const line of lines.filter((line) => line.startsWith("a=candidate:"))) {
        await pc.addIceCandidate({ candidate: line.slice(2), sdpMLineIndex: 0 });
      }
      await pc.setLocalDescription();
      await new Promise<void>((resolve) => {
        pc.onicegatheringstatechange = () => {
          if (pc.iceGatheringState === "complete") resolve();
        };
      });
      return pc.localDescription?.sdp ?? "";
    }, offer);
    await a.page.evaluate(async (sdp) => {
      const pc: unknown = Reflect.get(globalThis, "pc");
      if (pc instanceof RTCPeerConnection) await pc.setRemoteDescription({ type: "answer", sdp });
    }, answer);
    await a.page.waitForFunction(() => Reflect.get(globalThis, "opened") === true);
    const passed = (await proxy.counts()).map((way) => way.passed);
    assert(passed.every((count) => count >= 4), `${passed} packets`);
    const ports = await a.page.evaluate(async () => {
      const pc: unknown = Reflect.get(globalThis, "pc");
      if (!(pc instanceof RTCPeerConnection)) return [];
      const entries: { type: string; port?: number }[] = [];
      (await pc.getStats()).forEach((entry) => entries.push(entry));
      return entries.filter(({ type }) => type === "remote-candidate").map(({ port }) => port);
    });
    const own = [...answer.matchAll(/^a=candidate:(?:\S+ ){5}(\d+) typ host/gm)]
      .map(([, port]) => Number(port));
    assert(ports.length > 0 && own.length > 0, "no candidates");
    assert(!ports.some((port) => own.includes(port ?? 0)), `${ports} are known as they are`);
    for (const page of browser.pages) page.assertNoErrors();
  },
});
