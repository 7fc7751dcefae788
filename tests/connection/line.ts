/**
 * A TCP line between a client and a server that a test can cut, or lead to another server.
 *
 * @module
 */

/** Receives every byte that is forwarded; connections are numbered from 0. */
export type Tap = (connection: number, side: "client" | "server", bytes: Uint8Array) => void;

/** Forwards bytes both ways; closes only what it opened. */
export class Line implements Disposable {
  /** Port of the server; new connections go there. */
  target = 0;
  readonly #listener: Deno.TcpListener;
  readonly #open: Deno.TcpConn[][] = [];
  readonly #tap: Tap;

  constructor(tap: Tap = () => {}) {
    this.#tap = tap;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /**
   * Breaks the oldest connection, or all: no closing handshake, as when a phone loses the network.
   */
  cut(which: "first" | "all"): void {
    for (const conns of this.#open.splice(0, which === "first" ? 1 : Infinity)) {
      for (const conn of conns) close(conn);
    }
  }

  async #accept(): Promise<void> {
    let connections = 0;
    for await (const client of this.#listener) {
      const connection = connections++;
      const server = await Deno.connect({ hostname: "127.0.0.1", port: this.target });
      this.#open.push([client, server]);
      pass(client, server, (bytes) => this.#tap(connection, "client", bytes));
      pass(server, client, (bytes) => this.#tap(connection, "server", bytes));
    }
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    this.cut("all");
  }
}

function pass(from: Deno.TcpConn, to: Deno.TcpConn, tap: (bytes: Uint8Array) => void): void {
  const tapped = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(bytes, controller) {
      tap(bytes);
      controller.enqueue(bytes);
    },
  });
  from.readable.pipeThrough(tapped).pipeTo(to.writable).catch(() => {
    close(from);
    close(to);
  });
}

function close(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // Already closed by the other side.
  }
}
