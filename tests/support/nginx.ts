/**
 * A real nginx with deploy/nginx.conf, in a directory of its own, with free ports and its own
 * certificate, and without any files of the system.
 *
 * @module
 */
import { freePort } from "./app.ts";
import { PROJECT } from "./project.ts";

/** Name in the certificate, instead of the one in deploy/nginx.conf. */
const NAME = "localhost";
/** Timeout until nginx listens, in ms. */
const PATIENCE_MS = 20_000;

/** The command of nginx, or `null` if it is not installed. */
export const NGINX: string | null = await firstThatRuns(["nginx", "/usr/sbin/nginx"], ["-v"]);
const OPENSSL: string | null = await firstThatRuns(["openssl"], ["version"]);

/** Why tests with nginx can't run here; `null` if they can. */
export const NO_NGINX: string | null = NGINX === null
  ? "nginx is not installed"
  : OPENSSL === null
  ? "openssl is not installed"
  : null;

async function firstThatRuns(
  commands: readonly string[],
  args: readonly string[],
): Promise<string | null> {
  for (const command of commands) {
    try {
      const { success } = await new Deno.Command(command, { args: [...args] }).output();
      if (success) return command;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return null;
}

/** A port for HTTPS that is free now, and the origin of its pages. */
export function futureOrigin(): { readonly port: number; readonly origin: string } {
  const port = freePort();
  return { port, origin: `https://${NAME}:${port}` };
}

/** Settings of {@linkcode Nginx.start}. */
export interface NginxOptions {
  /** Port for HTTPS, from {@linkcode futureOrigin}. */
  readonly port: number;
  /** Port of the app. */
  readonly appPort: number;
}

/** nginx as a child process. Stopped by `await using`. */
export class Nginx implements AsyncDisposable {
  readonly port: number;
  /** Port for HTTP, which only redirects to HTTPS. */
  readonly httpPort: number;
  /** Without a trailing slash. */
  readonly origin: string;
  /** `localhost:port`. */
  readonly host: string;
  /** The certificate, PEM. */
  readonly certificate: string;
  /** Client that trusts this certificate only. */
  readonly client: Deno.HttpClient;
  readonly #directory: string;
  readonly #child: Deno.ChildProcess;

  private constructor(
    directory: string,
    child: Deno.ChildProcess,
    { port, httpPort, certificate }: { port: number; httpPort: number; certificate: string },
  ) {
    this.#directory = directory;
    this.#child = child;
    this.port = port;
    this.httpPort = httpPort;
    this.host = `${NAME}:${port}`;
    this.origin = `https://${this.host}`;
    this.certificate = certificate;
    this.client = Deno.createHttpClient({ caCerts: [certificate] });
  }

  /**
   * Starts nginx and waits until it listens.
   *
   * @throws {Error} with nginx' own message, if it does not start or warns about its configuration
   */
  static async start({ port, appPort }: NginxOptions): Promise<Nginx> {
    const directory = await Deno.makeTempDir({ prefix: "nginx_" });
    // Its workers don't run as root.
    await Deno.chmod(directory, 0o755);
    const httpPort = freePort();
    const certificate = await makeCertificate(directory);
    await Deno.writeTextFile(
      `${directory}/site.conf`,
      await site(directory, port, httpPort, appPort),
    );
    await Deno.writeTextFile(`${directory}/nginx.conf`, main(directory));
    const nginx = NGINX ?? "nginx";
    const args = ["-p", directory, "-c", `${directory}/nginx.conf`, "-e", `${directory}/error.log`];
    const check = await new Deno.Command(nginx, { args: [...args, "-t"] }).output();
    const said = new TextDecoder().decode(check.stderr);
    // Any warning about the configuration is a failure, too.
    if (!check.success || /\[(?:warn|error|emerg)\]/.test(said)) {
      await Deno.remove(directory, { recursive: true });
      throw new Error(`Cannot start nginx: ${said}`);
    }
    const child = new Deno.Command(nginx, {
      args,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const self = new Nginx(directory, child, { port, httpPort, certificate });
    await self.#listening();
    return self;
  }

  /** Sends a request, GET by default; the caller reads the body. */
  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    // The DOM's type of the options has no client.
    const options: RequestInit & { client: Deno.HttpClient } = {
      redirect: "manual",
      ...init,
      client: this.client,
    };
    return fetch(`${this.origin}${path}`, options);
  }

  /** The content of its logs. */
  async logs(): Promise<string> {
    const texts = await Promise.all(
      ["error.log", "access.log"].map((name) => Deno.readTextFile(`${this.#directory}/${name}`)),
    );
    return texts.join("\n");
  }

  async #listening(): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        (await Deno.connect({ hostname: "127.0.0.1", port: this.port })).close();
        return;
      } catch (error) {
        if (performance.now() > end) {
          const said = await Deno.readTextFile(`${this.#directory}/error.log`);
          await this[Symbol.asyncDispose]();
          throw new Error(`Cannot start nginx: ${said}`, { cause: error });
        }
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.close();
    try {
      this.#child.kill("SIGTERM");
    } catch {
      // It exited by itself.
    }
    await this.#child.status;
    await Deno.remove(this.#directory, { recursive: true });
  }
}

async function makeCertificate(directory: string): Promise<string> {
  const { success, stderr } = await new Deno.Command(OPENSSL ?? "openssl", {
    args: [
      ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2".split(" "),
      ...["-subj", `/CN=${NAME}`],
      ...["-addext", `subjectAltName=DNS:${NAME}`],
      ...["-addext", "basicConstraints=critical,CA:FALSE"],
      ...["-addext", "extendedKeyUsage=serverAuth"],
      ...["-keyout", `${directory}/key.pem`],
      ...["-out", `${directory}/cert.pem`],
    ],
  }).output();
  if (!success) throw new Error(`Cannot make a certificate: ${new TextDecoder().decode(stderr)}`);
  return await Deno.readTextFile(`${directory}/cert.pem`);
}

function hasIpv6(): boolean {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}

/**
 * deploy/nginx.conf with the ports and paths of this test. Its decisions stay as they are, except
 * for a timeout of ten seconds, which is shortened to two.
 */
async function site(
  directory: string,
  port: number,
  httpPort: number,
  appPort: number,
): Promise<string> {
  const text = await Deno.readTextFile(`${PROJECT}deploy/nginx.conf`);
  const here: readonly (readonly [RegExp, string])[] = [
    [/^ *listen \[::\]:443/gm, hasIpv6() ? `listen [::1]:${port}` : "# listen"],
    [/^ *listen \[::\]:80/gm, hasIpv6() ? `listen [::1]:${httpPort}` : "# listen"],
    [/listen 443/g, `listen 127.0.0.1:${port}`],
    [/listen 80/g, `listen 127.0.0.1:${httpPort}`],
    [/\/etc\/letsencrypt\/live\/\S+\/fullchain\.pem/g, `${directory}/cert.pem`],
    [/\/etc\/letsencrypt\/live\/\S+\/privkey\.pem/g, `${directory}/key.pem`],
    [/pic\.example\.org/g, NAME],
    [/server 127\.0\.0\.1:3000;/, `server 127.0.0.1:${appPort};`],
  ];
  let result = text;
  for (const [place, replacement] of here) {
    if (result.search(place) < 0) throw new Error(`Cannot find ${place} in deploy/nginx.conf`);
    result = result.replace(place, replacement);
  }
  return result.replaceAll("client_header_timeout 10s", "client_header_timeout 2s");
}

/** What Debian's nginx.conf would contain around it; works without root, too. */
function main(directory: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) =>
    `${name}_temp_path ${directory}/${name};`
  );
  return `daemon off;
worker_processes 1;
pid ${directory}/nginx.pid;
error_log ${directory}/error.log;
events { worker_connections 512; }
http {
${temporary.join("\n")}
access_log ${directory}/access.log;
include ${directory}/site.conf;
}
`;
}

/** A static site behind nginx with deploy/static.conf, over HTTP. Stopped by `await using`. */
export async function startStaticSite(
  folder: string,
  port: number,
): Promise<AsyncDisposable & { readonly origin: string }> {
  const directory = await Deno.makeTempDir({ prefix: "nginx_static_" });
  await Deno.chmod(directory, 0o755);
  const text = await Deno.readTextFile(`${PROJECT}deploy/static.conf`);
  const plain = text
    .replace(/^ *listen \[::\]:443.*\n/m, "")
    .replace("listen 443 ssl http2", `listen 127.0.0.1:${port}`)
    .replaceAll(/^ *ssl_.*\n/gm, "")
    .replace("/srv/ephemeral-p2p-image", folder)
    .replace("pages.example.org", "127.0.0.1");
  await Deno.writeTextFile(`${directory}/site.conf`, `${MEDIA_TYPES}\n${plain}`);
  await Deno.writeTextFile(`${directory}/nginx.conf`, main(directory));
  const child = new Deno.Command(NGINX ?? "nginx", {
    args: ["-p", directory, "-c", `${directory}/nginx.conf`, "-e", `${directory}/error.log`],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await listening(port);
  return {
    origin: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
      await Deno.remove(directory, { recursive: true });
    },
  };
}

/** What Debian's nginx.conf includes from mime.types, as far as the site needs it. */
const MEDIA_TYPES = `types {
  text/html html; text/css css; application/javascript js; application/json json;
  image/svg+xml svg; image/png png; font/woff2 woff2; text/plain txt;
}`;

async function listening(port: number): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch (error) {
      if (performance.now() > end) throw new Error("Cannot start nginx", { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}
