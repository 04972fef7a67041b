/** The installed package on Deno, with no permission but the ones that it needs. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { JOB_DONE } from "./job-done.ts";
import { installed, type Project, ROOT } from "./packed.ts";

const DENO = `${ROOT}node_modules/.bin/deno`;
const WASM = "node_modules/idp-janitor/pkg/core/core_bg.wasm";
// Nothing is asked of a person or of the network.
const RUN = ["run", "--no-prompt", "--cached-only", "--node-modules-dir=manual"];
const ENVIRONMENT = { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" };

let project: Project;

const deno = (args: readonly string[]) => project.run(DENO, [...RUN, ...args], ENVIRONMENT);

before(async () => {
  project = await installed("deno");
});

test("runs a job, selects and judges keys with the right to read the wasm, and no other", async () => {
  const { entry, ...done } = JSON.parse(await deno([`--allow-read=${WASM}`, "job.ts"]));
  assert.match(entry, /idp-janitor\/pkg\/entry\/node\.js$/);
  assert.deepEqual(done, JOB_DONE);
});

test("runs a job on a file with the right to read and write it", async () => {
  const args = [`--allow-read=${WASM},db.sqlite3`, "--allow-write=db.sqlite3", "job.ts", "db.sqlite3"];
  assert.deepEqual(JSON.parse(await deno(args)).removed, JOB_DONE.removed);
});

test("is told which right is missing", async () => {
  await assert.rejects(deno(["job.ts"]), /NotCapable: Requires read access to ".*core_bg\.wasm"/);
});

test("needs no right where the wasm is a module of the program", async () => {
  assert.equal(await deno(["slim.js"]), "4 jobs\n");
});
