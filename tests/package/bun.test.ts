/** The installed package on Bun. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { JOB_DONE } from "./job-done.ts";
import { installed, type Project, ROOT } from "./packed.ts";

const BUN = `${ROOT}node_modules/.bin/bun`;

let project: Project;

// What is not installed is not to be fetched from the network.
const bun = (args: readonly string[]) => project.run(BUN, ["run", "--no-install", ...args]);

before(async () => {
  project = await installed("bun");
});

test("runs a job, selects and judges keys", async () => {
  const { entry, ...done } = JSON.parse(await bun(["job.ts"]));
  assert.match(entry, /idp-janitor\/pkg\/entry\/node\.js$/);
  assert.deepEqual(done, JOB_DONE);
});

test("runs a job on a file", async () => {
  assert.deepEqual(JSON.parse(await bun(["job.ts", "db.sqlite3"])).removed, JOB_DONE.removed);
});

test("loads the wasm that a caller brings", async () => {
  assert.equal(await bun(["slim.ts"]), "4 jobs\n");
});

test("has its command line", async () => {
  const output = await bun(["--bun", "idp-janitor", "list", "--json"]);
  assert.equal(JSON.parse(output).jobs.length, 5);
});

test("its command line runs a job on a file", async () => {
  await bun(["job.ts", "cli.sqlite3"]);
  const now = "2027-06-01T00:00:00Z";
  const args = ["clearsessions", "--database", "sqlite:cli.sqlite3", "--now", now, "--json"];
  assert.deepEqual(JSON.parse(await bun(["--bun", "idp-janitor", ...args])).removed, { django_session: 1 });
});
