/** Runs a conformance suite that lives in a Worker, each of its cases as a test of its own. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunningWorker } from "../support/worker.ts";

/** Registers a test for every case that the Worker names; `what` goes before its name. */
export async function testCases(what: string, { worker }: RunningWorker): Promise<void> {
  const names = (await (await worker.fetch("/")).json()) as string[];
  assert.ok(names.length > 0, "the Worker names no case");
  names.forEach((name, at) => {
    test(`${what} ${name}`, async () => {
      assert.equal(await (await worker.fetch(`/${at}`)).json(), null);
    });
  });
}
