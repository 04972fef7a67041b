/** Jobs in parts through a queue, in workerd: whatever is delivered twice or lost, the result is the original's, and counted once. */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { D1Database } from "@cloudflare/workers-types";
import { loadIntoD1, readD1 } from "../support/d1.ts";
import { compareRows, type Rows } from "../support/differences.ts";
import { countLost } from "../support/judge.ts";
import { copyDatabase, oracle, readDatabase, seededDatabase } from "../support/originals.ts";
import { startWorker } from "../support/worker.ts";

const NOW = "2026-11-23T10:20:30.123Z";
const JOBS = ["remove_stale_unverified_accounts", "cleartokens"];

const running = await startWorker(new URL("workers/queue.ts", import.meta.url), {
  d1_databases: [{ binding: "DB", database_name: "queue", database_id: "queue" }],
  queues: {
    producers: [{ binding: "PARTS", queue: "parts" }],
    consumers: [{ queue: "parts", max_batch_size: 2, max_batch_timeout: 0, max_retries: 20, retry_delay: 0 }],
  },
});
after(() => running.close());
const { DB } = (await running.worker.getEnv()) as { DB: D1Database };

async function start(job: string): Promise<unknown> {
  const body = JSON.stringify({ job, now: NOW, parts: 4 });
  return (await running.worker.fetch("/", { method: "POST", body })).json();
}

/** What the end of a run told, as often as it did. */
async function ends(run: string): Promise<Record<string, number>[]> {
  for (let tries = 0; tries < 1200; tries += 1) {
    const { results } = await DB.prepare("SELECT removed FROM ended WHERE run = ?")
      .bind(run)
      .all<{ removed: string }>();
    if (results.length > 0) return results.map(({ removed }) => JSON.parse(removed));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the run does not end; it said\n${running.takeLogs().join("\n")}`);
}

test("leave what the originals leave, and count it once", { timeout: 120_000 }, async () => {
  const seeded = await seededDatabase(1, NOW, 2000);
  await loadIntoD1(seeded, DB);
  await DB.prepare("CREATE TABLE ended (run TEXT NOT NULL, removed TEXT NOT NULL)").run();
  const ours = async (): Promise<Rows> =>
    new Map([...(await readD1(DB))].filter(([table]) => table !== "ended"));
  const theirs = copyDatabase(seeded);
  for (const job of JOBS) {
    const before = await ours();
    const run = await start(job);
    assert.match(String(run), new RegExp(`^fan-out:${job}:2`));
    assert.match(JSON.stringify(await start(job)), /another run of `\w+` is fanned out/);
    const told = await ends(String(run));
    const lost = countLost(before, await ours());
    assert.ok(Object.values(lost).some((rows) => rows > 0));
    for (const removed of told) assert.deepEqual(removed, lost, job);
    await oracle(["run", "--now", NOW, job], { database: theirs });
    compareRows({ name: "ours", rows: await ours() }, { name: "theirs", rows: readDatabase(theirs) });
  }
  assert.ok(running.takeLogs().some((line) => line.includes("the answer was lost")));
});
