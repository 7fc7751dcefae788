/**
 * Where the project is and what its deno.json contains, so that tests run the same as the tasks and
 * nothing is written twice.
 *
 * @module
 */
import { fileURLToPath } from "node:url";

/** The project's directory, with a trailing slash. */
export const PROJECT = fileURLToPath(new URL("../../", import.meta.url));

/** What tests read from deno.json. */
export interface DenoJson {
  readonly tasks: Readonly<Record<string, string>>;
  readonly imports: Readonly<Record<string, string>>;
  readonly links: readonly string[];
  readonly compilerOptions: Readonly<Record<string, unknown>>;
}

/**
 * Reads deno.json.
 *
 * @throws {TypeError} if it lacks something that tests need
 */
export async function readDenoJson(): Promise<DenoJson> {
  const json: unknown = JSON.parse(await Deno.readTextFile(`${PROJECT}deno.json`));
  if (!isRecord(json)) throw new TypeError("Cannot read deno.json: not an object");
  const { tasks, imports, links, compilerOptions } = json;
  if (!isTextRecord(tasks)) throw new TypeError("Cannot read deno.json: tasks are not texts");
  if (!isTextRecord(imports)) throw new TypeError("Cannot read deno.json: imports are not texts");
  if (!isRecord(compilerOptions)) throw new TypeError("Cannot read deno.json: no compilerOptions");
  return {
    tasks,
    imports,
    compilerOptions,
    links: Array.isArray(links) ? links.map(String) : [],
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTextRecord(value: unknown): value is Record<string, string> {
  return isRecord(value) && Object.values(value).every((item) => typeof item === "string");
}
