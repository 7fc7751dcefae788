/**
 * Simulates distance and loss on one machine: all UDP between two pages passes through a proxy that
 * delays, drops and throttles it.
 *
 *     await using proxy = await UdpProxy.open({ rttMs: 100, loss: 0.01 });
 *     await using browser = await launchBrowser({ args: PROXY_ARGS });
 *     const pages = [await browser.newPage(), await browser.newPage()];
 *     for (const page of pages) await proxy.attach(page);       // before the first page.goto()
 *     …
 *     await proxy.set({ rttMs: 300 });                // for packets that arrive from now on
 *     await proxy.set({ loss: 1 });                   // nothing gets through
 *
 * An attached page sees each candidate of the other side with another port, which is a socket of
 * the proxy. So the proxy carries the traffic of every connection, including later ones, without
 * any change to the page's own code. Candidates for TCP and IPv6 are dropped. Relayed traffic
 * (TURN, the app's own relay) does not flow directly between the pages, and bypasses the proxy.
 *
 * Linux only: see udp_proxy_worker.ts. A packet costs 20–50 µs of a core, so 10 MB/s take about
 * half of one.
 *
 * @module
 */
import type { TestPage } from "./browser.ts";

/** The simulated network between two pages. */
export interface Conditions {
  /** Round trip in milliseconds; half of it in each direction. Default: 0. */
  readonly rttMs?: number;
  /** Share of packets that are lost, in each direction, 0…1. Default: 0. */
  readonly loss?: number;
  /** Bytes per millisecond, in each direction, for all connections together. Default: unlimited. */
  readonly bytesPerMs?: number;
  /** Bytes that may be queued for sending; further packets are dropped. Default: unlimited. */
  readonly queueBytes?: number;
}

/** Packet counts of one direction. */
export interface ProxyCounts {
  /** All packets that arrived. */
  entered: number;
  passed: number;
  /** Dropped by chance. */
  lost: number;
  /** Dropped because the queue was full. */
  overflowed: number;
}

/** Messages to the thread. */
export type ProxyOrder =
  | { readonly t: "start"; readonly seed: number; readonly conditions: Required<Conditions> }
  | { readonly t: "set"; readonly id: number; readonly conditions: Required<Conditions> }
  | {
    readonly t: "port";
    readonly id: number;
    readonly line: 0 | 1;
    readonly ip: string;
    readonly port: number;
  }
  | { readonly t: "counts"; readonly id: number }
  | { readonly t: "end"; readonly id: number };

/** Messages from the thread. */
export interface ProxyReply {
  readonly id: number;
  readonly value: number | readonly ProxyCounts[];
}

/** Browser flags: mDNS names instead of addresses would bypass the proxy. */
export const PROXY_ARGS = ["--disable-features=WebRtcHideLocalIpsWithMdns"] as const;

/** Whether the proxy works on this system. */
export const hasUdpProxy: boolean = Deno.build.os === "linux";

const IPV4 = /^\d+\.\d+\.\d+\.\d+$/;

function complete(conditions: Conditions): Required<Conditions> {
  return { rttMs: 0, loss: 0, bytesPerMs: Infinity, queueBytes: Infinity, ...conditions };
}

/** A proxy between two ends. */
export class UdpProxy implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, PromiseWithResolvers<ProxyReply["value"]>>();
  #conditions: Conditions;
  #ids = 0;
  #attached = 0;

  private constructor(conditions: Conditions, seed: number) {
    this.#conditions = conditions;
    const url = new URL("./udp_proxy_worker.ts", import.meta.url);
    this.#worker = new Worker(url, { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<ProxyReply>) => {
      this.#waiting.get(data.id)?.resolve(data.value);
      this.#waiting.delete(data.id);
    };
    this.#say({ t: "start", seed, conditions: complete(conditions) });
  }

  /** Starts a proxy; which packets are lost depends on `seed` only. */
  static async open(conditions: Conditions = {}, seed = 1): Promise<UdpProxy> {
    const proxy = new UdpProxy(conditions, seed);
    await proxy.counts();
    return proxy;
  }

  /** Changes some of the conditions. */
  async set(conditions: Conditions): Promise<void> {
    this.#conditions = { ...this.#conditions, ...conditions };
    await this.#ask((id) => ({ t: "set", id, conditions: complete(this.#conditions) }));
  }

  /** Packet counts so far: of those to the first end, and of those to the second. */
  async counts(): Promise<readonly ProxyCounts[]> {
    const counts = await this.#ask((id) => ({ t: "counts", id }));
    return typeof counts === "number" ? [] : counts;
  }

  /**
   * The port on which the proxy receives packets for the given address of the first (0) or second
   * (1) end.
   */
  async port(line: 0 | 1, ip: string, port: number): Promise<number> {
    const own = await this.#ask((id) => ({ t: "port", id, line, ip, port }));
    return typeof own === "number" ? own : 0;
  }

  /**
   * Puts the proxy between this page and the other attached one. It stays attached when the page is
   * reloaded.
   */
  async attach(page: TestPage): Promise<void> {
    if (this.#attached === 2) throw new RangeError("Cannot attach: two pages are");
    // Addresses that this page receives are those of the other one.
    const line = this.#attached++ === 0 ? 1 : 0;
    const name = "udpProxyPort";
    await page.page.exposeFunction(
      name,
      (ip: string, port: number) => IPV4.test(ip) ? this.port(line, ip, port) : null,
    );
    await page.page.evaluateOnNewDocument(redirect, name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The thread first closes its sockets.
    await this.#ask((id) => ({ t: "end", id }));
    this.#worker.terminate();
  }

  #ask(order: (id: number) => ProxyOrder): Promise<ProxyReply["value"]> {
    const id = this.#ids++;
    const answer = Promise.withResolvers<ProxyReply["value"]>();
    this.#waiting.set(id, answer);
    this.#say(order(id));
    return answer.promise;
  }

  #say(order: ProxyOrder): void {
    this.#worker.postMessage(order);
  }
}

/**
 * Runs in the page, before its own scripts: replaces the other side's addresses with those of the
 * proxy.
 */
function redirect(name: string): void {
  const ask: unknown = Reflect.get(globalThis, name);
  const { prototype } = RTCPeerConnection;
  const { addIceCandidate, setRemoteDescription } = prototype;
  const call = (method: CallableFunction, pc: RTCPeerConnection, value: unknown): Promise<void> =>
    Reflect.apply(method, pc, [value]);

  /** The candidate with the proxy's port; `null` if it has none. */
  async function redirected(line: string): Promise<string | null> {
    const fields = line.split(" ");
    const [, , protocol, , ip, port] = fields;
    if (protocol?.toLowerCase() !== "udp" || typeof ask !== "function") return null;
    const own: unknown = await ask(ip, Number(port));
    return typeof own === "number" ? fields.with(5, String(own)).join(" ") : null;
  }

  prototype.addIceCandidate = async function (candidate?: RTCIceCandidateInit | null) {
    const text = candidate?.candidate ?? "";
    if (text === "") return await call(addIceCandidate, this, candidate);
    const line = await redirected(text);
    if (line === null) return;
    await call(addIceCandidate, this, {
      candidate: line,
      sdpMid: candidate?.sdpMid ?? null,
      sdpMLineIndex: candidate?.sdpMLineIndex ?? null,
    });
  };

  prototype.setRemoteDescription = function (description: RTCSessionDescriptionInit) {
    const { type, sdp = "" } = description;
    // Synchronously if there are no candidates in it: a candidate may follow immediately.
    if (!sdp.includes("a=candidate:")) return call(setRemoteDescription, this, description);
    const lines = sdp.split("\r\n").map(async (line) => {
      return line.startsWith("a=candidate:") ? await redirected(line) : line;
    });
    return Promise.all(lines).then((all) =>
      call(setRemoteDescription, this, {
        type,
        sdp: all.filter((line) => line !== null).join("\r\n"),
      })
    );
  };
}
