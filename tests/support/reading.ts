/**
 * What a screen reader gets from a page: the accessibility tree as Chromium builds it,
 * announcements of live regions, and the focus.
 *
 * @module
 */
import type { Page } from "./puppeteer.ts";

/** One node of the tree. */
export interface ReadNode {
  readonly role: string;
  readonly name: string;
  /** Level of a heading; otherwise `null`. */
  readonly level: number | null;
}

/** Roles of controls; each needs a name. */
const CONTROLS = [
  "button",
  "link",
  "textbox",
  "combobox",
  "checkbox",
  "radio",
  "slider",
  "spinbutton",
  "option",
  "tab",
  "menuitem",
  "DisclosureTriangle",
  "listbox",
];

/** The tree in reading order, without ignored nodes. */
export async function readTree(page: Page): Promise<ReadNode[]> {
  const devtools = await page.createCDPSession();
  try {
    const { nodes } = await devtools.send("Accessibility.getFullAXTree");
    return nodes.filter(({ ignored }) => !ignored).map(({ role, name, properties }) => {
      const level = properties?.find((property) => property.name === "level")?.value.value;
      return {
        role: String(role?.value ?? ""),
        name: String(name?.value ?? ""),
        level: role?.value === "heading" ? Number(level) : null,
      };
    });
  } finally {
    await devtools.detach();
  }
}

/**
 * The problems of a tree, in words: landmarks, headings, and controls and pictures without names.
 */
export function treeFaults(nodes: readonly ReadNode[]): string[] {
  const faults: string[] = [];
  const count = (role: string) => nodes.filter((node) => node.role === role).length;
  // An open dialog hides everything else.
  const modal = count("dialog") === 1;
  if (!modal && count("main") !== 1) faults.push(`${count("main")} main landmarks`);
  const headings = nodes.filter(({ role }) => role === "heading");
  const titles = headings.filter(({ level }) => level === 1);
  if (!modal && titles.length !== 1) faults.push(`${titles.length} headings of level 1`);
  let before = modal ? 1 : 0;
  for (const { level, name } of headings) {
    if (name.trim() === "") faults.push("a heading that says nothing");
    if ((level ?? 0) > before + 1) faults.push(`heading “${name}”: level ${level} after ${before}`);
    before = level ?? before;
  }
  for (const { role, name } of nodes) {
    if (CONTROLS.includes(role) && name.trim() === "") faults.push(`a ${role} without a name`);
    if ((role === "image" || role === "img" || role === "Canvas") && name.trim() === "") {
      faults.push(`a ${role} without a name`);
    }
  }
  return faults;
}

/** Runs in a page before its scripts: records what live regions announce. */
export const LISTEN = `{
  const said = [];
  Object.defineProperty(globalThis, "__said", { value: said });
  const note = (node) => {
    const region = (node.nodeType === 1 ? node : node.parentElement)
      ?.closest("[role=status],[role=alert],[aria-live=polite],[aria-live=assertive]");
    const text = region?.textContent.trim();
    if (text && said.at(-1) !== text) said.push(text);
  };
  new MutationObserver((changes) => {
    for (const { target, addedNodes } of changes) {
      note(target);
      addedNodes.forEach(note);
    }
  }).observe(document, { subtree: true, childList: true, characterData: true });
}`;

/** Everything announced since the page was loaded. */
export async function spokenOn(page: Page): Promise<string[]> {
  return await page.evaluate(() => [...Reflect.get(globalThis, "__said")]);
}

/** The focused element: its tag and its name, or `nothing` if the focus is lost. */
export async function focusOn(page: Page): Promise<string> {
  return await page.evaluate(() => {
    const element = document.activeElement;
    if (element === null || element === document.body) return "nothing";
    const name = element.getAttribute("aria-label") ?? element.textContent?.trim().slice(0, 60);
    return `${element.tagName.toLowerCase()}: ${name}`;
  });
}

/**
 * Presses Tab until the element with this `data-action` is focused, then `key`, as people without a
 * mouse do.
 */
export async function operate(page: Page, action: string, key: "Enter" | "Space" = "Enter") {
  await page.bringToFront();
  for (let i = 0; i < 60; i++) {
    const here = await page.evaluate(() => document.activeElement?.getAttribute("data-action"));
    if (here === action) return await page.keyboard.press(key);
    await page.keyboard.press("Tab");
  }
  throw new Error(`Nobody gets to "${action}" by Tab`);
}
