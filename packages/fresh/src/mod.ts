/**
 * The part of Fresh 2 that this app uses, with Fresh's names and behaviour. See README.md.
 * @module
 */
export { App, type ListenOptions } from "./app.ts";
export type { Context, Context as FreshContext } from "./context.ts";
export { createDefine, type Define, page } from "./define.ts";
export { type ErrorStatus, HttpError } from "./error.ts";
export { staticFiles } from "./static_files.ts";
export type {
  FreshConfig,
  HandlerByMethod,
  HandlerFn,
  LayoutConfig,
  Method,
  Middleware,
  PageProps,
  PageResponse,
  ResolvedFreshConfig,
  RouteConfig,
  RouteHandler,
} from "./types.ts";
