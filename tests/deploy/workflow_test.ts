/**
 * What can be tested of .github/workflows and the compile task without running them: neither GitHub
 * nor the part of Deno that compile downloads is available here.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { PROJECT, readDenoJson } from "../support/project.ts";
import { parse } from "../support/yaml.ts";

interface Step {
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly run?: string;
}

interface Job {
  readonly strategy?: { readonly matrix: { readonly os: readonly string[] } };
  readonly permissions?: unknown;
  readonly "timeout-minutes"?: number;
  readonly steps: readonly Step[];
}

interface Workflow {
  readonly permissions: unknown;
  readonly jobs: Readonly<Record<string, Job>>;
}

async function read(name: string) {
  const text = await Deno.readTextFile(`${PROJECT}.github/workflows/${name}`);
  const workflow: Workflow = parse(text);
  const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);
  return { name, text, workflow, steps, runs: steps.flatMap(({ run }) => run ?? []) };
}

const ci = await read("ci.yml");
const nightly = await read("nightly.yml");
const release = await read("release.yml");

/** What each job may do beyond reading the code. */
const MORE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  release: { contents: "write", "id-token": "write", attestations: "write" },
};

for (const { name, text, workflow, steps, runs } of [ci, nightly, release]) {
  Deno.test(`${name} may read the code, and no job more than it needs`, () => {
    assertEquals(workflow.permissions, { contents: "read" });
    for (const [name, job] of Object.entries(workflow.jobs)) {
      assertEquals(job.permissions, MORE[name], name);
      assert(job["timeout-minutes"] !== undefined, `${name} may run for hours`);
    }
    for (const step of steps.filter(({ uses }) => uses?.startsWith("actions/checkout@"))) {
      assertEquals(step.with?.["persist-credentials"], false);
    }
    assert(!/secrets\.|pull_request_target/.test(text));
    // Text that a stranger writes into a pull request must not become a command.
    for (const run of runs) assert(!run.includes("${{"), run);
  });

  Deno.test(`every action of ${name} is pinned to its full version`, () => {
    for (const { uses } of steps) {
      if (uses !== undefined) assertMatch(uses, /^[\w-]+\/[\w-]+@v\d+\.\d+\.\d+$/);
    }
  });
}

Deno.test("every night both commands of the README are run on a bare Debian", async () => {
  assert(nightly.runs.includes(".ci/bare"));
  const script = await Deno.readTextFile(`${PROJECT}.ci/bare`);
  const readme = await Deno.readTextFile(`${PROJECT}README.md`);
  // The script extracts them from the README itself.
  const patterns = [...script.matchAll(/grep -E '(\^npx [^']+)'/g)];
  assertEquals(patterns.length, 2);
  for (const [, pattern = ""] of patterns) assertMatch(readme, new RegExp(pattern, "m"));
});

Deno.test("the workflow runs the gate, builds image and binary, audits lock files", async () => {
  const { workflow, runs } = ci;
  assertEquals(Object.keys(workflow.jobs), ["gate", "image", "binary", "audit"]);
  const systems = workflow.jobs["gate"]?.strategy?.matrix.os ?? [];
  assertEquals(systems.map((name) => name.split("-")[0]), ["ubuntu", "macos"]);
  assert(workflow.jobs["gate"]?.steps.some(({ run }) => run === ".ci/run") === true);
  const all = runs.join("\n");
  assert(all.includes("docker build "), "no image");
  for (const lock of ["deno.lock", "tests/deno.lock"]) {
    assert(all.includes(`audit --lock=${lock}`), `${lock} is not audited`);
  }
  const { tasks } = await readDenoJson();
  const gate = await Deno.readTextFile(`${PROJECT}.ci/run`);
  const [, version = ""] = /deno@(\S+)/.exec(gate) ?? [];
  for (const [, used, rest = ""] of all.matchAll(/npx -y deno@(\S+) (.+)/g)) {
    assertEquals(used, version);
    const [, task] = /^task (\w+)/.exec(rest) ?? [];
    assert(task === undefined || task in tasks, rest);
  }
});

Deno.test("a release is built from a tag, compared, attested and signed with its number", () => {
  const { text, steps, runs } = release;
  assertMatch(text, /^on:\n {2}push:\n {4}tags: \["v\*"\]\n\n/m);
  const attested = steps.filter(({ uses }) => uses?.startsWith("actions/attest-"))
    .flatMap((step) => String(step.with?.["subject-path"]).trim().split("\n"));
  for (const file of ["release/ephemeral-p2p-image.tar.gz", "release/build.sha256"]) {
    assert(attested.includes(file), file);
  }
  const all = runs.join("\n");
  for (const task of ["build", "verify", "sbom"]) assertMatch(all, new RegExp(` task ${task}\\b`));
  // Attested before it is published.
  const published = steps.findIndex(({ run }) => run?.includes("gh release create"));
  assert(steps.every(({ uses }, i) => !uses?.startsWith("actions/attest-") || i < published));
});

Deno.test("the binary has the start task's permissions and contains the build", async () => {
  const { tasks } = await readDenoJson();
  const last = (task: string | undefined) => task?.split("&&").at(-1)?.trim().split(/\s+/) ?? [];
  const permissions = (words: readonly string[]) =>
    words.filter((word) => /^(?:-A|--allow|--deny)/.test(word));
  const compile = last(tasks["compile"]);
  assertEquals(
    permissions(compile),
    permissions(last(tasks["start"])).map((word) => word.replace("=_fresh,static,", "=")),
  );
  assert(compile.join(" ").includes("--include _fresh --include static "));
  assertEquals(compile.at(-1), last(tasks["start"]).at(-1));
  const ignored = (await Deno.readTextFile(`${PROJECT}.gitignore`)).split("\n");
  assert(ignored.includes(`/${compile[compile.indexOf("--output") + 1]}`));
});
