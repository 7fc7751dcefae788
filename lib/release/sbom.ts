/**
 * Lists what a build is made of: `deno task sbom` prints CycloneDX 1.6, from `deno.lock`.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { complain } from "../ops/log.ts";

/** The part of a lock file that is read. */
interface Lock {
  readonly npm: Readonly<
    Record<string, { readonly integrity: string; readonly dependencies?: readonly string[] }>
  >;
}

/** One package. */
interface Component {
  readonly type: "library";
  readonly "bom-ref": string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes: readonly { readonly alg: "SHA-512"; readonly content: string }[];
}

/** A software bill of materials. */
export interface Sbom {
  readonly bomFormat: "CycloneDX";
  readonly specVersion: "1.6";
  readonly version: 1;
  readonly metadata: { readonly component: Readonly<Record<string, string>> };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

/** Of `name@version` in a lock file, perhaps followed by `_` and the peers that it is used with. */
const KEY = /^((?:@[^/]+\/)?[^@]+)@([^_]+)/;

/** The bill of a project with this lock file. The same input has the same output. */
export function billOf(
  lock: Lock,
  project: { readonly name: string; readonly version: string; readonly deno: string },
): Sbom {
  const components = new Map<string, Component>();
  const edges = new Map<string, Set<string>>();
  const refOf = (key: string) => key.replace(KEY, "$1@$2").replace(/_.*$/, "");
  const refs = Object.keys(lock.npm).map(refOf);
  for (const [key, { integrity, dependencies = [] }] of Object.entries(lock.npm)) {
    const [, name = "", version = ""] = KEY.exec(key) ?? [];
    const ref = refOf(key);
    const [algorithm, digest = ""] = integrity.split("-");
    if (name === "" || algorithm !== "sha512") {
      throw new TypeError(`Cannot list ${key}: its entry in the lock file is not understood`);
    }
    components.set(ref, {
      type: "library",
      "bom-ref": ref,
      name,
      version,
      purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
      hashes: [{ alg: "SHA-512", content: Buffer.from(digest, "base64").toString("hex") }],
    });
    const used = edges.get(ref) ?? new Set();
    edges.set(ref, used);
    for (const dependency of dependencies) {
      // A lock file leaves the version out where there is only one.
      const exact = refOf(dependency);
      const found = refs.find((other) => other === exact || other.startsWith(`${dependency}@`));
      if (found === undefined) throw new TypeError(`Cannot list ${key}: ${dependency} is missing`);
      used.add(found);
    }
  }
  const { name, version, deno } = project;
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: {
        type: "application",
        "bom-ref": name,
        name,
        version,
        description: `Deno ${deno}`,
      },
    },
    components: [...components.values()],
    dependencies: [...edges].map(([ref, dependsOn]) => ({ ref, dependsOn: [...dependsOn] })),
  };
}

if (import.meta.main) {
  try {
    const read = (path: string) => JSON.parse(Deno.readTextFileSync(path));
    const { name, version } = read("deno.json");
    const bill = billOf(read("deno.lock"), { name, version, deno: Deno.version.deno });
    await Deno.stdout.write(new TextEncoder().encode(`${JSON.stringify(bill, null, 2)}\n`));
  } catch (error) {
    complain(error instanceof Error ? error.message : String(error));
    Deno.exit(1);
  }
}
