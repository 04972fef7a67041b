/** The installed package in workerd, as wrangler's own development server builds and runs it. */

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { startWorker } from "../support/worker.ts";
import { JOB_DONE } from "./job-done.ts";
import { installed, type Project } from "./packed.ts";
import { addRuntimeTypes, checkPrograms, WORKERS } from "./types.ts";

let project: Project;

/** What a Worker of the project answers. */
async function answerOf(main: string): Promise<unknown> {
  const { url, close } = await startWorker(pathToFileURL(project.at(main)));
  try {
    const response = await fetch(url);
    const text = await response.text();
    assert.equal(response.status, 200, text);
    return JSON.parse(text);
  } finally {
    await close();
  }
}

before(async () => {
  project = await installed("workerd");
});

test("runs a job, selects and judges keys", async () => {
  assert.deepEqual(await answerOf("main.ts"), JOB_DONE);
});

test("takes the wasm that a Worker imports itself", async () => {
  assert.deepEqual(await answerOf("slim.ts"), { jobs: 4, module: true });
});

test("what is written for Workers holds in a strict project, the import of the wasm included", async () => {
  await addRuntimeTypes(project);
  await checkPrograms(project, WORKERS, ["main.ts", "slim.ts"]);
});
