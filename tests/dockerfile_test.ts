import { assert, assertEquals } from "./support/assert.ts";
import { PROJECT, readDenoJson } from "./support/project.ts";

const dockerfile = await Deno.readTextFile(`${PROJECT}Dockerfile`);

Deno.test("the container runs the server with the permissions of the task start", async () => {
  const { tasks } = await readDenoJson();
  const serve = tasks.start?.split("&&").at(-1)?.trim().split(/\s+/) ?? [];
  const command: unknown = JSON.parse(/^CMD (.+)$/m.exec(dockerfile)?.[1] ?? "[]");
  assert(Array.isArray(command));
  assertEquals(command.filter((word) => word !== "--cached-only"), serve);
});

Deno.test("the container is built as the task build does it", async () => {
  const { tasks } = await readDenoJson();
  assert(dockerfile.includes(`\nRUN ${tasks.build}\n`), tasks.build);
});

Deno.test("the container builds and runs with the Deno that the README names", async () => {
  const images = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image);
  assertEquals(new Set(images).size, 1);
  const version = images[0]?.split(":")[1];
  const ci = await Deno.readTextFile(`${PROJECT}.ci/run`);
  assert(ci.includes(`npx -y deno@${version} task ok`), `.ci/run does not use ${version}`);
});

Deno.test("the container does not run as root", () => {
  const last = dockerfile.slice(dockerfile.lastIndexOf("\nFROM "));
  assert(/^USER deno$/m.test(last));
});

Deno.test("everything that is copied into the image passes .dockerignore", async () => {
  const ignore = await Deno.readTextFile(`${PROJECT}.dockerignore`);
  const build = dockerfile.slice(0, dockerfile.lastIndexOf("\nFROM "));
  for (const [, words = ""] of build.matchAll(/^COPY (.+) \S+$/gm)) {
    for (const path of words.split(" ")) assert(ignore.includes(`\n!${path}\n`), path);
  }
});
