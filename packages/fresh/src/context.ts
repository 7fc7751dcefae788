import { type FunctionComponent, isValidElement, type VNode } from "preact";
import type { BuildCache } from "./build_cache.ts";
import { renderDocument } from "./runtime/server.ts";
import { node } from "./runtime/vnode.ts";
import type {
  AsyncAnyComponent,
  LayoutConfig,
  PageProps,
  ResolvedFreshConfig,
  RouteComponent,
} from "./types.ts";

/** Key of the framework's own data on a context. */
export const internals: unique symbol = Symbol("fresh internals");

/** Key of the method that renders a route's component. */
export const renderComponent: unique symbol = Symbol("fresh renderComponent");

/**
 * Upstream stores the nonce of a rendered page on its Response under this global symbol, where its
 * own `csp()` middleware reads it. We do the same, so that an app can read it from both.
 */
const NONCE = Symbol.for("__freshNonce");

/** Passed to every middleware and handler; there is one per request. */
export class Context<State> {
  readonly config: ResolvedFreshConfig;
  readonly url: URL;
  req: Request;
  /** The pattern that matched, or null. */
  readonly route: string | null;
  readonly params: Record<string, string>;
  readonly state: State = {} as State;
  data: unknown = undefined;
  /** The error, if one was thrown. */
  error: unknown | null = null;
  readonly info: Deno.ServeHandlerInfo;
  /** Always false: there are no partials here. */
  readonly isPartial: boolean = false;
  Component: FunctionComponent = () => null;
  /** Calls the next middleware or the route. */
  next: () => Promise<Response>;
  [internals]: { cache: BuildCache | null; app: RouteComponent<State> | null };

  constructor(init: {
    config: ResolvedFreshConfig;
    req: Request;
    url: URL;
    info: Deno.ServeHandlerInfo;
    route: string | null;
    params: Record<string, string>;
    next: () => Promise<Response>;
    cache: BuildCache | null;
  }) {
    this.config = init.config;
    this.req = init.req;
    this.url = init.url;
    this.info = init.info;
    this.route = init.route;
    this.params = init.params;
    this.next = init.next;
    this[internals] = { cache: init.cache, app: null };
  }

  /** A redirect; leading double slashes are collapsed so that it can't leave the site. */
  redirect(pathOrUrl: string, status = 302): Response {
    let location = pathOrUrl;
    if (location.startsWith("/")) {
      const end = location.search(/[?#]/);
      const path = end === -1 ? location : location.slice(0, end);
      location = path.replaceAll(/\/+/g, "/") +
        (end === -1 ? "" : location.slice(end));
    }
    return new Response(null, { status, headers: { location } });
  }

  /** Renders JSX, inside `_app` unless that is skipped, to an HTML response. */
  async render(
    vnode: VNode | null,
    init: ResponseInit = {},
    config: LayoutConfig = {},
  ): Promise<Response> {
    if (vnode !== null && !isValidElement(vnode)) {
      throw new TypeError("Non-JSX element passed to: ctx.render()");
    }
    const { app, cache } = this[internals];
    let wrap: ((child: FunctionComponent) => VNode | null) | null = null;
    if (app !== null && config.skipAppWrapper !== true) {
      if (isAsync(app)) {
        // The page has to be rendered before an async _app is awaited, so _app gets this slot as
        // its child.
        let slot: FunctionComponent = () => null;
        const result = await app(this.#props(undefined, (props) => slot(props)));
        if (result instanceof Response) return result;
        wrap = (child) => {
          slot = child;
          return result;
        };
      } else {
        wrap = (child) => node(app, this.#props(undefined, child));
      }
    }

    const document = renderDocument({
      cache,
      page: vnode,
      wrap,
      development: this.config.mode === "development",
    });
    const headers = new Headers(init.headers);
    headers.set("Content-Type", "text/html; charset=utf-8");
    if (document.preload.length > 0) {
      const links = document.preload.map((url) =>
        `<${encodeURI(url)}>; rel="modulepreload"; as="script"`
      );
      headers.append("Link", links.join(", "));
    }
    const response = new Response(document.html, { ...init, headers });
    Object.defineProperty(response, NONCE, { value: document.nonce });
    return response;
  }

  text(content: string, init?: ResponseInit): Response {
    return new Response(content, init);
  }

  html(content: string, init: ResponseInit = {}): Response {
    const headers = new Headers(init.headers);
    headers.set("Content-Type", "text/html; charset=utf-8");
    return new Response(content, { ...init, headers });
  }

  json(content: unknown, init?: ResponseInit): Response {
    return Response.json(content, init);
  }

  /** Renders a route's component with `data`; null when there is no component. */
  async [renderComponent](
    component: RouteComponent<State> | undefined,
    data: unknown,
  ): Promise<VNode | Response | null> {
    if (component === undefined) return null;
    const props = this.#props(data, () => null);
    return isAsync(component) ? await component(props) : node(component, props);
  }

  #props(data: unknown, Component: FunctionComponent): PageProps<unknown, State> {
    const { config, url, req, params, info, state, isPartial, error, route } = this;
    return { config, url, req, params, info, state, isPartial, error, route, data, Component };
  }
}

/**
 * Only real async functions count, as upstream: before the call a component that returns a promise
 * can't be told from one that returns JSX.
 */
function isAsync<State>(
  component: RouteComponent<State>,
): component is AsyncAnyComponent<PageProps<unknown, State>> {
  return component.constructor.name === "AsyncFunction";
}
