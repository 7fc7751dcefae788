/**
 * `deno task fuzz`: the properties with new inputs for `FUZZ_SECONDS` (60). Exits with 1 if one
 * failed. `FUZZ_SEED` repeats one seed for each of them.
 *
 * @module
 */
import { complain, tell } from "../../lib/ops/log.ts";
import { Bench, BenchSite } from "../pictures/bench.ts";
import { damageProperty } from "../pictures/damage.ts";
import { plainPictures } from "../pictures/make.ts";
import { CONNECTION_PROPERTIES } from "./connection_state.ts";
import { INVITATION_PROPERTIES } from "./invitations.ts";
import { LYING_SERVER_PROPERTIES } from "./lying_server.ts";
import { PARSER_PROPERTIES } from "./parsers.ts";
import { fuzz } from "./property.ts";
import { RECORD_PROPERTIES } from "./records.ts";
import { ROOM_PROPERTIES } from "./rooms.ts";

/**
 * Reads a number from the environment; `fallback` if it is not set. Throws `RangeError` for
 * anything else.
 */
function numberFrom<T>(name: string, fallback: T): number | T {
  const text = Deno.env.get(name);
  if (text === undefined || text === "") return fallback;
  const value = Number(text);
  if (!Number.isFinite(value)) throw new RangeError(`${name} is not valid: "${text}" is no number`);
  return value;
}

function randomSeed(): number {
  return crypto.getRandomValues(new Int32Array(1))[0] ?? 0;
}

const seconds = numberFrom("FUZZ_SECONDS", 60);
const seed = numberFrom("FUZZ_SEED", null);
const failed = await tryAll();
if (failed > 0) {
  complain(`${failed} properties did not hold`);
  Deno.exit(1);
}

async function tryAll(): Promise<number> {
  await using site = await BenchSite.start();
  await using bench = new Bench(site);
  const pictures = damageProperty(await plainPictures(), (picture) => bench.look(picture));
  const all = [
    ...RECORD_PROPERTIES,
    ...INVITATION_PROPERTIES,
    ...PARSER_PROPERTIES,
    ...ROOM_PROPERTIES,
    ...CONNECTION_PROPERTIES,
    ...LYING_SERVER_PROPERTIES,
    pictures,
  ];
  return await fuzz(all, {
    ms: seed === null ? seconds * 1_000 : 0,
    nextSeed: () => seed ?? randomSeed(),
    write: tell,
  });
}
