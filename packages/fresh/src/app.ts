import { STATUS_TEXT } from "@std/http/status";
import type { BuildCache } from "./build_cache.ts";
import { Context, internals, renderComponent } from "./context.ts";
import { HttpError } from "./error.ts";
import { compareRoutes, pathToPattern, Router } from "./router.ts";
import { setBuildId } from "./runtime/mod.ts";
import type {
  FreshConfig,
  HandlerByMethod,
  Method,
  Middleware,
  ResolvedFreshConfig,
  Route,
  RouteComponent,
  RouteConfig,
  RouteHandler,
} from "./types.ts";

const METHODS: readonly Method[] = ["GET", "DELETE", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/** Files of `routes/` that wrap routes instead of being one. */
const WRAPS = /(?:^|\/)_[^/]*$/;

const NO_INFO: Deno.ServeHandlerInfo<Deno.NetAddr> = {
  remoteAddr: { transport: "tcp", hostname: "localhost", port: 1234 },
  completed: Promise.resolve(),
};

export type ListenOptions =
  & Partial<Deno.ServeTcpOptions & Deno.TlsCertifiedKeyPem>
  & { remoteAddress?: string };

/** A directory of the site: the middlewares and the error page of everything below it. */
interface Segment<State> {
  parent: Segment<State> | null;
  children: Map<string, Segment<State>>;
  middlewares: Middleware<State>[];
  app: RouteComponent<State> | null;
  errorRoute: Route<State> | null;
}

/** The routes and middlewares added to an App, assembled when `handler()` is called. */
interface Site<State> {
  root: Segment<State>;
  notFound: Route<State> | null;
  router: Router<Middleware<State>>;
}

type Step<State> = (site: Site<State>) => void;

/** Used by the dev side and by the generated server; not for apps. */
export let setBuildCache: <State>(
  app: App<State>,
  cache: BuildCache,
  mode: "development" | "production",
) => void;

/** Passes requests through middlewares to routes. */
export class App<State> {
  #steps: Step<State>[] = [];
  #cache: BuildCache | null = null;
  config: ResolvedFreshConfig;

  static {
    setBuildCache = (app, cache, mode) => {
      app.config.root = cache.root;
      app.config.mode = mode;
      app.#cache = cache;
    };
  }

  constructor(config: FreshConfig = {}) {
    if (config.basePath !== undefined && config.basePath !== "") {
      throw new RangeError("Cannot create App: basePath is not implemented");
    }
    this.config = { root: ".", basePath: "", mode: config.mode ?? "production" };
  }

  /** Adds middlewares, for all paths or for those below `path`. */
  use(...middleware: Middleware<State>[]): this;
  use(path: string, ...middleware: Middleware<State>[]): this;
  use(first: string | Middleware<State>, ...rest: Middleware<State>[]): this {
    const path = typeof first === "string" ? first : "*";
    const middlewares = typeof first === "string" ? rest : [first, ...rest];
    return this.#add((site) => segmentOf(site.root, path, true).middlewares.push(...middlewares));
  }

  get(path: string, ...middlewares: Middleware<State>[]): this {
    return this.#handle(["GET"], path, middlewares);
  }
  post(path: string, ...middlewares: Middleware<State>[]): this {
    return this.#handle(["POST"], path, middlewares);
  }
  patch(path: string, ...middlewares: Middleware<State>[]): this {
    return this.#handle(["PATCH"], path, middlewares);
  }
  put(path: string, ...middlewares: Middleware<State>[]): this {
    return this.#handle(["PUT"], path, middlewares);
  }
  delete(path: string, ...middlewares: Middleware<State>[]): this {
    return this.#handle(["DELETE"], path, middlewares);
  }
  head(path: string, ...middlewares: Middleware<State>[]): this {
    return this.#handle(["HEAD"], path, middlewares);
  }
  all(path: string, ...middlewares: Middleware<State>[]): this {
    return this.#handle(METHODS, path, middlewares);
  }

  /** Adds the files of `routes/` that the Builder found. */
  fsRoutes(): this {
    return this.#add((site) => {
      const files = [...this.#cache?.routes ?? []].sort((a, b) => compareRoutes(a.id, b.id));
      // A route gets the wrappers that exist when it is added, so add those first.
      const [wrappers = [], routes = []] = [true, false].map((wraps) =>
        files.filter(({ id }) => WRAPS.test(id) === wraps)
      );
      for (const { id, mod } of [...wrappers, ...routes]) addFile(site, id, mod);
    });
  }

  /** The function that answers requests: for `Deno.serve`, and for tests. */
  handler(): (req: Request, info?: Deno.ServeHandlerInfo) => Promise<Response> {
    const cache = this.#cache;
    if (cache !== null) setBuildId(cache.buildId);
    const site: Site<State> = {
      root: newSegment(null),
      notFound: null,
      router: new Router(),
    };
    for (const step of this.#steps) step(site);
    const { router } = site;
    const unmatched = compose(chain(site, site.root));

    return async (req, info = NO_INFO) => {
      const url = new URL(req.url);
      // A path that starts with two slashes would be another host when used as a redirect.
      url.pathname = url.pathname.replace(/\/+/g, "/");
      const { item, params, pattern } = router.match(req.method, url);
      const ctx = new Context<State>({
        config: this.config,
        req,
        url,
        info,
        route: pattern,
        params,
        cache,
        next: () => {
          if (pattern === null) throw new HttpError(404);
          if (item === null && req.method === "OPTIONS") {
            const headers = { Allow: router.allowed(pattern).join(", ") };
            return Promise.resolve(new Response(null, { status: 204, headers }));
          }
          throw new HttpError(item === null ? 405 : 404);
        },
      });
      try {
        const response = await (item ?? unmatched)(ctx);
        if (!(response instanceof Response)) {
          throw new TypeError(`Expected a Response to be returned, but got: ${response}`);
        }
        return req.method === "HEAD" ? new Response(null, response) : response;
      } catch (error) {
        return plainError(error);
      }
    };
  }

  /** Starts a server: on `options.port`, or on the first free port from 8000 to 8019. */
  async listen(options: ListenOptions = {}): Promise<void> {
    await listenOn(this.handler(), options);
  }

  #add(step: Step<State>): this {
    this.#steps.push(step);
    return this;
  }

  #handle(methods: readonly Method[], path: string, middlewares: Middleware<State>[]): this {
    return this.#add((site) => {
      const segment = segmentOf(site.root, path, true);
      const run = compose([...chain(site, segment), ...middlewares]);
      const pattern = path === "*" ? "/*" : path;
      for (const method of methods) site.router.add(method, pattern, run);
    });
  }
}

/** Serves `handler`; shared by `App.listen()` and the dev server. */
export async function listenOn(handler: Deno.ServeHandler, options: ListenOptions): Promise<void> {
  const onListen = options.onListen ?? (({ hostname, port }: Deno.NetAddr) => {
    const host = ["0.0.0.0", "::", "::1", "127.0.0.1"].includes(hostname) ? "localhost" : hostname;
    // deno-lint-ignore no-console -- a server that a person started says where it is
    console.log(`Fresh ready: http://${host}:${port}/`);
  });
  for (let port = options.port ?? 8000;; port++) {
    try {
      await Deno.serve({ ...options, port, onListen }, handler).finished;
      return;
    } catch (error) {
      const next = options.port === undefined && port < 8019;
      if (!next || !(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

function newSegment<State>(parent: Segment<State> | null): Segment<State> {
  return { parent, children: new Map(), middlewares: [], app: null, errorRoute: null };
}

/**
 * The segment for a path or pattern; the last part is ignored as a file name unless `whole` is set.
 */
function segmentOf<State>(root: Segment<State>, path: string, whole: boolean): Segment<State> {
  const parts = path.split("/").filter((part) => part !== "" && part !== "*");
  if (!whole) parts.pop();
  let segment = root;
  for (const part of parts) {
    let child = segment.children.get(part);
    if (child === undefined) {
      segment.children.set(part, child = newSegment(segment));
    }
    segment = child;
  }
  return segment;
}

/**
 * The middlewares that a request passes on its way to a segment, outermost first. Only those that
 * exist now: what a middleware or a file of `routes/` adds later does not apply to routes added
 * before, except for `_404`.
 */
function chain<State>(site: Site<State>, segment: Segment<State>): Middleware<State>[] {
  const { app, errorRoute } = segment;
  const own: Middleware<State>[] = [
    async function catchErrors(ctx) {
      if (app !== null) ctx[internals].app = app;
      try {
        return await ctx.next();
      } catch (error) {
        const status = error instanceof HttpError ? error.status : 500;
        const isMissing = status === 404 && site.notFound !== null;
        const route = isMissing ? site.notFound : errorRoute;
        if (route === null) throw error;
        ctx.error = error;
        // To respond with 404, a _404 page passes the status itself: page(undefined, { status: 404
        // }).
        return await renderRoute(ctx, route, isMissing ? 200 : status);
      }
    },
    ...segment.middlewares,
  ];
  return segment.parent === null ? own : [...chain(site, segment.parent), ...own];
}

/** Combines several middlewares into one; `ctx.next()` of the last calls the next one outside. */
function compose<State>(middlewares: Middleware<State>[]): Middleware<State> {
  return (ctx) => {
    let next = ctx.next;
    for (const middleware of middlewares.toReversed()) {
      const inner = next;
      next = async () => {
        ctx.next = inner;
        return await middleware(ctx);
      };
    }
    return next();
  };
}

function addRoute<State>(
  site: Site<State>,
  segment: Segment<State>,
  pattern: string,
  route: Route<State>,
): void {
  const run = compose([...chain(site, segment), (ctx) => renderRoute(ctx, route, 200)]);
  const { handler, config } = route;
  // A route file is registered for every method. Upstream reads a file in advance only if it
  // overrides its route; only then does it know the methods.
  const methods = typeof handler !== "object" || config?.routeOverride === undefined
    ? METHODS
    : METHODS.filter((name) => handler[name] !== undefined || isDefaultGet(route, name));
  for (const method of methods) site.router.add(method, config?.routeOverride ?? pattern, run);
}

/** A page component responds to GET even if the handlers beside it are only for other methods. */
function isDefaultGet<State>(route: Route<State>, method: string): boolean {
  return method === "GET" && route.component !== undefined;
}

/** Runs a route's handler and renders its component with what that returned. */
async function renderRoute<State>(
  ctx: Context<State>,
  route: Route<State>,
  status: number,
): Promise<Response> {
  const { handler, component, config } = route;
  const method = ctx.req.method;
  let run = typeof handler === "function" ? handler : undefined;
  if (typeof handler === "object") {
    const name = METHODS.find((name) => name === method);
    run = (name && handler[name]) ??
      (method === "HEAD" ? handler.GET : undefined);
    const isPage = component !== undefined && (method === "GET" || method === "HEAD");
    if (run === undefined && !isPage) return await ctx.next();
  }
  if (run === undefined && component === undefined) throw new HttpError(404);
  const result = run === undefined ? { data: {} } : await run(ctx);
  if (result instanceof Response) return result;
  const vnode = await ctx[renderComponent](component, result.data);
  if (vnode instanceof Response) return vnode;
  return await ctx.render(vnode, {
    status: result.status ?? status,
    headers: result.headers ?? {},
  }, config);
}

/**
 * Adds one file of `routes/`. Its exports are checked here, since nothing else has checked them.
 */
function addFile<State>(site: Site<State>, id: string, mod: Record<string, unknown>): void {
  const slash = id.lastIndexOf("/");
  const name = id.slice(slash + 1);
  const segment = segmentOf(site.root, directoryOf(id), true);
  const handler = mod.handlers ?? mod.handler;
  if (name === "_middleware") {
    const list: unknown[] = [handler ?? mod.default].flat();
    if (!list.every(isFunction<Middleware<State>>)) {
      throw new TypeError(
        `Cannot use routes/${id}: a middleware is a function or an array of them`,
      );
    }
    segment.middlewares.push(...list);
    return;
  }

  const route: Route<State> = {};
  if (isFunction<RouteComponent<State>>(mod.default)) {
    route.component = mod.default;
  }
  if (isHandler<State>(handler)) route.handler = handler;
  if (isConfig(mod.config)) route.config = mod.config;
  if (route.component === undefined && route.handler === undefined) {
    throw new TypeError(`Cannot use routes/${id}: it exports neither a component nor a handler`);
  }
  if (name === "_app") site.root.app = route.component ?? null;
  else if (name === "_404") site.notFound = route;
  else if (name === "_error" || name === "_500") segment.errorRoute = route;
  else addRoute(site, segment, pathToPattern(id), route);
}

function directoryOf(id: string): string {
  const slash = id.lastIndexOf("/");
  // Parameters have the same names in files and in patterns, so that use("/ws/:room") matches
  // [room].
  return slash === -1 ? "" : id.slice(0, slash).replace(/\[+(?:\.\.\.)?(\w+)\]+/g, ":$1");
}

function isFunction<T>(value: unknown): value is T {
  return typeof value === "function";
}

function isHandler<State>(value: unknown): value is RouteHandler<unknown, State> {
  return isFunction(value) || isHandlerByMethod(value);
}

function isHandlerByMethod<State>(value: unknown): value is HandlerByMethod<unknown, State> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isConfig(value: unknown): value is RouteConfig {
  return typeof value === "object" && value !== null;
}

/** The response to an error that no error page handled. */
function plainError(error: unknown): Response {
  const status = error instanceof HttpError ? error.status : 500;
  if (status >= 500) {
    // deno-lint-ignore no-console -- the last place that sees it: without a word it would be lost
    console.error(error);
  }
  if (!(error instanceof HttpError)) {
    return new Response("Internal server error", { status });
  }
  return new Response(error.message || STATUS_TEXT[error.status], { status });
}
