/** The installed package on Node: the oldest that it promises to run on, and the one that it is made with. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { node22 } from "./node22.ts";
import { installed, type Project } from "./packed.ts";

// Node 22 took types for a while only when it was asked to, and warned.
const TYPES = ["--experimental-strip-types", "--disable-warning=ExperimentalWarning"];

let project: Project;

before(async () => {
  project = await installed("node");
});

for (const [name, binary] of [
  ["Node 22", node22],
  ["Node 24", async () => process.execPath],
] as const) {
  test(`${name} is what runs`, async () => {
    const version = await project.run(await binary(), ["--version"]);
    assert.equal(version.split(".")[0], name.replace("Node ", "v"));
  });

  test(`${name} runs a job from the installed package`, async () => {
    const output = await project.run(await binary(), [...TYPES, "job.ts"]);
    const report = JSON.parse(output) as { removed: object; complete: boolean };
    assert.deepEqual(report.removed, { django_session: 1 });
    assert.equal(report.complete, true);
  });

  test(`${name} keeps and uses keys from the installed package`, async () => {
    const output = await project.run(await binary(), [...TYPES, "keys.ts"]);
    const report = JSON.parse(output) as { clients: { outcome: string }[] };
    assert.deepEqual(
      report.clients.map(({ outcome }) => outcome),
      ["refreshed"],
    );
  });

  test(`${name} loads the wasm that a caller brings`, async () => {
    assert.equal(await project.run(await binary(), [...TYPES, "slim.ts"]), "4 jobs\n");
  });

  test(`${name} has its command line`, async () => {
    const output = await project.run(await binary(), ["node_modules/.bin/idp-janitor", "list", "--json"]);
    const { jobs } = JSON.parse(output) as { jobs: { name: string }[] };
    assert.equal(jobs.length, 5);
  });
}

test("its command line is a command", async () => {
  const help = await project.run(project.at("node_modules/.bin/idp-janitor"), ["--help"]);
  assert.match(help, /idp-janitor/);
});
