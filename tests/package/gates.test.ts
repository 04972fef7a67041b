/** What must hold of the tarball wherever it is installed: its manifest, its types, its size, and what it imports. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { BUDGETS } from "./budgets.ts";
import { bundleOf } from "./bundles.ts";
import { modulesOf, portableModulesOf, specifierOf } from "./exports.ts";
import { installed, type Project, ROOT, tarball } from "./packed.ts";
import { addRuntimeTypes, checkPrograms, checkTypes, NODE, VIEWS } from "./types.ts";

let project: Project;

before(async () => {
  project = await installed("node");
  await addRuntimeTypes(project);
});

test("publint finds nothing to say", async () => {
  const { buffer } = new Uint8Array(await readFile(await tarball()));
  const { messages, pkg } = await publint({ strict: true, pack: { tarball: buffer } });
  assert.equal(pkg.name, "idp-janitor");
  assert.deepEqual(
    messages.map((message) => formatMessage(message, pkg, { color: false })),
    [],
  );
});

test("the types of every entry are found, and are of what is found", async () => {
  // Older ways to import are not offered: ESM only.
  await project.run(`${ROOT}node_modules/.bin/attw`, [
    ...["--profile", "esm-only", "--no-emoji", "--no-color", "--format", "table-flipped"],
    ...["--exclude-entrypoints", "./package.json", "--", await tarball()],
  ]);
});

for (const view of VIEWS) {
  test(`every type holds in a strict project for ${view.name}`, () => checkTypes(project, view));
}

test("what is written for Node holds in a strict project", async () => {
  await checkPrograms(project, NODE, ["job.ts", "keys.ts", "slim.ts"]);
});

for (const condition of ["browser", "workerd"]) {
  test(`what loads under "${condition}" asks for nothing of Node, and for no driver`, async () => {
    const failures: string[] = [];
    for (const entry of portableModulesOf(project)) {
      const failed = (error: Error) => failures.push(`${specifierOf(entry)}: ${error.message}`);
      await bundleOf(project, entry, condition).catch(failed);
    }
    assert.deepEqual(failures, []);
  });
}

test("every entry keeps to its budget", async () => {
  const exceeded: string[] = [];
  const portable = portableModulesOf(project);
  for (const entry of portable) {
    // Where an entry cannot be bundled its size is not known, hence beyond any budget.
    const bundle = await bundleOf(project, entry, "browser").catch(() => undefined);
    const bytes = bundle === undefined ? Infinity : gzipSync(bundle, { level: 9 }).length;
    const budget = BUDGETS[entry] ?? 0;
    if (bytes > budget) exceeded.push(`${specifierOf(entry)} has ${bytes} bytes of ${budget}`);
  }
  assert.deepEqual(exceeded, []);
  assert.deepEqual(Object.keys(BUDGETS).sort(), portable.sort());
});

test("ships nothing but what it needs", async () => {
  const files = (await project.run("find", ["node_modules/idp-janitor", "-type", "f"])).trim().split("\n");
  const strange = files.filter(
    (file) =>
      !/^node_modules\/idp-janitor\/(pkg\/|docs\/|examples\/|README|ARCHITECTURE|CHANGELOG|LICENSE|package\.json)/.test(
        file,
      ),
  );
  assert.deepEqual(strange, []);
  assert.ok(files.includes("node_modules/idp-janitor/pkg/core/core_bg.wasm"));
  assert.ok(modulesOf(project).length > 0);
});
