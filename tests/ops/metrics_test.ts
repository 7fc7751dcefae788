import { Metrics } from "../../lib/ops/metrics.ts";
import { assert, assertEquals } from "../support/assert.ts";

/** A line of the text format: `name{label="word"} value`, the braces where there is a label. */
const SAMPLE = /^[a-z_]+(?:\{[a-z]+="[a-z_]+"\})? -?\d+(?:\.\d+)?(?:e[+-]\d+)?$/;

Deno.test("Metrics begins every series with zero and adds one at a time", () => {
  const metrics = new Metrics();
  assert(metrics.render().includes('ephemeral_outcomes_total{way="relayed"} 0\n'));
  metrics.count("outcomes", "relayed");
  metrics.count("outcomes", "relayed");
  metrics.count("joins", "code");
  const text = metrics.render();
  assert(text.includes('ephemeral_outcomes_total{way="relayed"} 2\n'), text);
  assert(text.includes('ephemeral_joins_total{by="code"} 1\n'), text);
  assertEquals(metrics.get("outcomes", "relayed"), 2);
});

Deno.test("Metrics writes Prometheus' text format, each family once with its help and type", () => {
  const text = new Metrics().render([{ name: "sockets", help: "Open sockets", read: () => 3 }]);
  assert(text.endsWith("\n"));
  assert(text.includes("# TYPE ephemeral_sockets gauge\nephemeral_sockets 3\n"), text);
  const families: string[] = [];
  for (const line of text.trimEnd().split("\n")) {
    const [, kind, name = ""] = /^# (HELP|TYPE) ([a-z_]+) .+$/.exec(line) ?? [];
    if (kind === "TYPE") families.push(name);
    if (kind === undefined) {
      assert(SAMPLE.test(line), line);
      assert(line.startsWith(families.at(-1) ?? "?"), line);
    }
  }
  assertEquals(families.length, new Set(families).size);
});

Deno.test("Metrics makes no series for an unlisted word, whatever the types were told", () => {
  const metrics = new Metrics();
  const before = metrics.render();
  for (const word of ["203.0.113.7", "AAAAAAAAAAAAAAAAAAAAAA", '"} 1\nx{a="']) {
    Reflect.apply(metrics.count, metrics, ["joins", word]);
    Reflect.apply(metrics.count, metrics, [word, "create"]);
  }
  assertEquals(metrics.render(), before);
});
