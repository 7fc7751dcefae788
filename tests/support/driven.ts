/**
 * What the two people of flow.ts need of a page, whichever browser shows it: {@linkcode
 * ../support/browser.ts TestPage} for Chromium and Firefox, {@linkcode ../support/webkit.ts
 * WebKitPage} for WebKit.
 *
 * @module
 */

/** A point of the window, in CSS pixels. */
export interface Place {
  readonly x: number;
  readonly y: number;
}

/** Keys that write nothing. */
export type Key = "ArrowRight" | "Escape" | "Tab";

/** A page that a test drives. */
export interface DrivenPage {
  /** The interface of the browser's own library, for what is not here. */
  readonly page: unknown;
  /** Everything that the page wrote to its console, newest last. */
  readonly console: readonly string[];
  /** Runs code in the page: a function that uses nothing from outside of it, or an expression. */
  evaluate<Params extends unknown[], Result>(
    code: string | ((...params: Params) => Result),
    ...params: Params
  ): Promise<Awaited<Result>>;
  /**
   * Runs `script` in every later document, before the document's own scripts. The result stops
   * that.
   */
  addScript(script: string): Promise<() => Promise<void>>;
  /** Loads an address. */
  goto(url: string): Promise<unknown>;
  /** Loads the page again, as a person would. */
  reload(): Promise<unknown>;
  /** Whether there is such an element, and people see it. */
  sees(selector: string): Promise<boolean>;
  /**
   * Clicks with the mouse. Returns false if there is no such element, or the page moved it away
   * from under the mouse.
   */
  click(selector: string): Promise<boolean>;
  /** Chooses files as the file dialog of `input[type=file]` would. */
  chooseFiles(selector: string, paths: readonly string[]): Promise<void>;
  /** Types into whatever has the focus, key by key. */
  type(text: string): Promise<void>;
  /** Presses a key once. */
  press(key: Key): Promise<void>;
  /** Moves the mouse from point to point of the window, with its button pressed. */
  drag(points: readonly Place[]): Promise<void>;
  /** What the screen shows where an element is: a PNG in base64. */
  capture(selector: string): Promise<string>;
  /** Closes the page and deletes its storage. */
  close(): Promise<void>;
}
