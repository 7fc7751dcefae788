import {
  type ComponentChildren,
  type ComponentType,
  createContext,
  Fragment,
  type FunctionComponent,
  h,
  options,
  type VNode,
} from "preact";
import { useContext } from "preact/hooks";
import { jsxTemplate } from "preact/jsx-runtime";
import { renderToString } from "preact-render-to-string";
import type { BuildCache, Island } from "../build_cache.ts";
import { encodeProps } from "./props.ts";
import { HeadContext } from "./mod.ts";
import { node } from "./vnode.ts";

type Props = Record<string, unknown>;

/** State of a page's rendering. Rendering is synchronous, so there is one at a time. */
interface Rendering {
  nonce: string;
  cache: BuildCache | null;
  development: boolean;
  islands: Set<Island>;
  props: unknown[];
  head: Map<string, VNode>;
  seen: Set<string>;
  scripted: boolean;
}

let current: Rendering | null = null;

const InIsland = createContext(false);
// Elements and islands are replaced by a wrapper once. The nodes that a wrapper creates are in
// `done`, so that they are not wrapped again.
const done = new WeakSet<VNode>();
const wrappers = new Map<unknown, FunctionComponent<Props>>();
const IN_HEAD = ["title", "meta", "link", "script", "style", "base", "noscript", "template"];
const ELEMENTS = new Set(["html", "head", "body", ...IN_HEAD]);

declare module "preact" {
  interface Options {
    /** Preact's internal hook, called before a node is rendered; upstream uses it too. */
    __b?(vnode: VNode): void;
  }
}

const previous = options.__b;
options.__b = (vnode) => {
  if (current !== null && !done.has(vnode)) {
    const { type } = vnode;
    if (typeof type === "string") {
      if (ELEMENTS.has(type)) {
        const { key } = vnode;
        vnode.type = key === null || key === undefined
          ? wrapper(type, () => (props) => renderElement(type, props, null))
          : (props: Props) => renderElement(type, props, String(key));
      }
    } else {
      const island = current.cache?.islands.get(type);
      if (island !== undefined) {
        vnode.type = wrapper(type, () => (props) => renderIsland(type, island, props));
      }
    }
  }
  previous?.(vnode);
};

function wrapper(type: unknown, create: () => FunctionComponent<Props>): FunctionComponent<Props> {
  let made = wrappers.get(type);
  if (made === undefined) wrappers.set(type, made = create());
  return made;
}

/** `h()` for wrappers: the returned node is not wrapped again. */
function plain(type: string | ComponentType, props: Props): VNode {
  const vnode = node(type, props);
  done.add(vnode);
  return vnode;
}

function renderElement(type: string, props: Props, key: string | null): VNode | null {
  const inHead = useContext(HeadContext);
  if (current === null) return plain(type, props);
  current.seen.add(type);
  if (type === "head") {
    const children = [props.children, h(LateHead, null)];
    return plain(type, {
      ...props,
      children: h(HeadContext.Provider, { value: false }, ...children as ComponentChildren[]),
    });
  }
  if (type === "body") {
    return plain(type, { ...props, children: [props.children, h(Scripts, null)] });
  }
  const nonced = type === "script" || type === "style"
    ? { ...props, nonce: props.nonce ?? current.nonce }
    : props;
  const vnode = plain(type, key === null ? nonced : { ...nonced, "data-key": key });
  // Only inside <Head> and <head>: an SVG has <title> and <style> elements of its own.
  if (inHead === undefined || !IN_HEAD.includes(type)) return vnode;
  const id = key ?? headKey(type, props);
  if (inHead) {
    current.head.set(id, vnode);
    return null;
  }
  const replacement = current.head.get(id);
  current.head.delete(id);
  return replacement ?? vnode;
}

/** Head elements with the same key are equivalent: the title of a page replaces that of `_app`. */
function headKey(type: string, props: Props): string {
  if (type === "title") return type;
  const parts = [type];
  for (const name of Object.keys(props).sort()) {
    if (name === "children" || name === "nonce") continue;
    if (type === "meta" && name === "content") continue;
    if (name === "href" && (props.rel === "canonical" || props.rel === "manifest")) continue;
    const value = props[name];
    const html = name === "dangerouslySetInnerHTML" &&
      typeof value === "object" && value !== null &&
      "__html" in value;
    parts.push(`${name}=${String(html ? value.__html : value)}`);
  }
  return parts.join("::");
}

function LateHead(): VNode | null {
  return h(Fragment, null, ...(current?.head.values() ?? []));
}

function renderIsland(type: ComponentType, island: Island, props: Props): VNode {
  const nested = useContext(InIsland);
  const child = plain(type, props);
  // The outermost island hydrates everything inside it.
  if (nested || current === null) return child;
  if (props.children !== undefined) {
    throw new TypeError(`Cannot render island "${island.name}": children are not supported`);
  }
  current.islands.add(island);
  const index = current.props.push(props) - 1;
  return h(
    Fragment,
    null,
    comment(`frsh:island:${island.name}:${index}:`),
    h(InIsland.Provider, { value: true }, child),
    comment("/frsh:island"),
  );
}

function comment(text: string): VNode {
  const props: Props = { UNSTABLE_comment: text };
  return h(Fragment, props);
}

/** The scripts at the end of the body; a page without islands has none. */
function Scripts(): VNode | null {
  if (current === null || current.scripted) return null;
  current.scripted = true;
  const { cache, islands, props, nonce } = current;
  const scripts: VNode[] = [];
  if (cache !== null && islands.size > 0) {
    const imports = [...islands].map(({ name, exportName, file }) =>
      `import ${exportName === "default" ? name : `{ ${exportName} as ${name} }`} from "${file}";`
    ).join("");
    const names = [...islands].map((island) => island.name).join(",");
    // "<" never appears in the JSON, so nothing in it can end the script or open a comment.
    const json = JSON.stringify(encodeProps(props)).replaceAll("<", "\\u003C");
    const code = `import { boot } from "${cache.clientEntry}";${imports}boot({${names}},${json});`;
    scripts.push(
      plain("script", { type: "module", nonce, dangerouslySetInnerHTML: { __html: code } }),
    );
  }
  if (current.development && cache !== null && cache.liveReload !== null) {
    scripts.push(plain("script", { type: "module", nonce, src: cache.liveReload }));
  }
  return h(Fragment, null, ...scripts);
}

/** Renders a page, wrapped in what `wrap` returns, to a complete document. */
export function renderDocument(options: {
  cache: BuildCache | null;
  page: VNode | null;
  wrap: ((child: FunctionComponent) => VNode | null) | null;
  development: boolean;
}): { html: string; nonce: string; preload: string[] } {
  const { cache, page, wrap, development } = options;
  const state: Rendering = {
    nonce: crypto.randomUUID().replaceAll("-", ""),
    cache,
    development,
    islands: new Set(),
    props: [],
    head: new Map(),
    seen: new Set(),
    scripted: false,
  };
  current = state;
  try {
    // The page is rendered first, so that its <Head> is known when _app renders the document's
    // head.
    let html = renderToString(page ?? h(Fragment, null));
    if (wrap !== null) {
      html = renderToString(wrap(() => raw(html)) ?? h(Fragment, null));
    }
    if (!state.seen.has("body")) {
      html = renderToString(h("body", null, raw(html)));
    }
    if (!state.seen.has("head")) {
      html = renderToString(h("head", null, h("meta", { charset: "utf-8" }))) +
        html;
    }
    if (!state.seen.has("html")) html = `<html>${html}</html>`;

    const preload = new Set<string>();
    if (cache !== null && state.islands.size > 0) {
      preload.add(cache.clientEntry);
      for (const island of state.islands) preload.add(island.file);
      for (const url of cache.clientImports) preload.add(url);
      for (const island of state.islands) {
        island.imports.forEach((url) => preload.add(url));
      }
    }
    return { html: `<!DOCTYPE html>${html}`, nonce: state.nonce, preload: [...preload] };
  } finally {
    current = null;
  }
}

function raw(html: string): VNode {
  return jsxTemplate([html]);
}
