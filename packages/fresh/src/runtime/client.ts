/** The entry script of pages with islands. This module is browser compatible. */
import { type ComponentType, type ContainerNode, h, render } from "preact";
import { decodeProps } from "./props.ts";

export { load } from "./load.ts";

/** Hydrates the islands of a page. Called by the inline script of each page that has any. */
export function boot(islands: Record<string, ComponentType>, props: string): void {
  const all = decodeProps(props);
  for (const { name, index, start, end } of findIslands()) {
    const component = islands[name];
    const own = all[index];
    if (component === undefined || typeof own !== "object") continue;
    render(h(component, own), between(start, end));
  }
}

function* findIslands() {
  const comments = document.createTreeWalker(document.body, NodeFilter.SHOW_COMMENT);
  const found: Comment[] = [];
  while (comments.nextNode()) {
    const node = comments.currentNode;
    if (node instanceof Comment && /^\/?frsh:island/.test(node.data)) {
      found.push(node);
    }
  }
  for (let i = 0; i + 1 < found.length; i += 2) {
    const [open, close] = [found[i], found[i + 1]];
    if (open === undefined || close === undefined) return;
    const [, , name = "", index = ""] = open.data.split(":");
    yield { name, index: Number(index), start: toText(open), end: toText(close) };
  }
}

/** Preact skips comments when it looks for the position of a new node, but not text nodes. */
function toText(comment: Comment): Text {
  const text = new Text("");
  comment.replaceWith(text);
  return text;
}

/** Acts as a parent element for Preact, limited to the nodes between two markers. */
function between(start: Text, end: Text): ContainerNode {
  const parent = start.parentNode;
  if (parent === null) {
    throw new Error("Cannot start island: its marker is not in the page");
  }
  const nodes = () => {
    const list: ChildNode[] = [];
    for (
      let node = start.nextSibling;
      node !== null && node !== end;
      node = node.nextSibling
    ) {
      list.push(node);
    }
    return list;
  };
  const fragment = {
    nodeType: 1,
    parentNode: parent,
    ownerDocument: document,
    namespaceURI: parent instanceof Element ? parent.namespaceURI : null,
    get firstChild() {
      return nodes()[0] ?? null;
    },
    get childNodes() {
      return nodes();
    },
    contains: (node: Node) => parent.contains(node),
    insertBefore: (node: Node, before: Node | null) => parent.insertBefore(node, before ?? end),
    appendChild: (node: Node) => parent.insertBefore(node, end),
    removeChild: (node: Node) => parent.removeChild(node),
  };
  return fragment;
}
