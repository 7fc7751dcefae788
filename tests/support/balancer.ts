/**
 * A minimal load balancer: one address in front of several servers. A test chooses which of them
 * gets new connections; existing ones stay where they are, as with any balancer.
 *
 * @module
 */

/** A server behind the balancer. */
export interface Backend {
  readonly port: number;
}

/** Forwards TCP connections. */
export class Balancer implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<Deno.TcpConn>();
  readonly #accepting: Promise<void>;
  /** Backends in order of preference: new connections use the first one that accepts them. */
  #order: readonly Backend[];

  constructor(backends: readonly Backend[]) {
    this.#order = backends;
    this.#accepting = this.#accept();
  }

  /** Without a trailing slash. */
  get url(): string {
    return `http://127.0.0.1:${this.#listener.addr.port}`;
  }

  /** Makes `backend` the first choice for new connections. */
  prefer(backend: Backend): void {
    this.#order = [backend, ...this.#order.filter((other) => other !== backend)];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#open) close(conn);
    await this.#accepting;
  }

  async #accept(): Promise<void> {
    try {
      for await (const conn of this.#listener) void this.#pass(conn);
    } catch {
      // The listener was closed.
    }
  }

  async #pass(client: Deno.TcpConn): Promise<void> {
    const server = await this.#connect();
    if (server === null) return close(client);
    for (const conn of [client, server]) this.#open.add(conn);
    const both = [
      client.readable.pipeTo(server.writable),
      server.readable.pipeTo(client.writable),
    ];
    await Promise.allSettled(both);
    for (const conn of [client, server]) {
      this.#open.delete(conn);
      close(conn);
    }
  }

  async #connect(): Promise<Deno.TcpConn | null> {
    for (const { port } of this.#order) {
      try {
        return await Deno.connect({ hostname: "127.0.0.1", port });
      } catch {
        // Not running: try the next one.
      }
    }
    return null;
  }
}

function close(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // Already closed by the other side.
  }
}
