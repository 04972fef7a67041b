/** Jobs in parts through pg-boss, on the PostgreSQL that the jobs are for: the result is the original's, and counted once. */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import "idp-janitor";
import type { JobName } from "idp-janitor";
import { pg } from "idp-janitor/adapters/pg";
import { type FanOutResult, sendFanOut, workFanOut } from "idp-janitor/pg-boss";
import { Pool } from "pg";
import { PgBoss } from "pg-boss";
import { compareRows, type Rows } from "./support/differences.ts";
import { countLost } from "./support/judge.ts";
import { losing } from "./support/losing.ts";

import { oracle } from "./support/originals.ts";
import { copyServerDatabase, readServerDatabase, seededServerDatabase } from "./support/originals-servers.ts";
import { startPostgres } from "./support/postgres.ts";

/** Dates have milliseconds. */
const NOW = "2026-11-23T10:20:30.123Z";
const QUEUE = "idp-janitor";
const JOBS: readonly JobName[] = ["remove_stale_unverified_accounts", "cleartokens"];
const WORKERS = 3;

const engine = await startPostgres();
after(() => engine.close());

/** All tables of the application's. */
async function rowsOf(url: string): Promise<Rows> {
  return new Map([...(await readServerDatabase(url))].filter(([table]) => !table.startsWith("idp_janitor_")));
}

test("leave what the originals leave, and count it once", { timeout: 120_000 }, async () => {
  const url = await seededServerDatabase(engine, 1, NOW);
  const theirs = await copyServerDatabase(engine, url);
  // pg-boss keeps its tables in a schema of its own.
  const boss = new PgBoss({ connectionString: url });
  boss.on("error", () => undefined);
  const pool = new Pool({ connectionString: url });
  const ended = new Map<string, (result: FanOutResult) => void>();
  try {
    await boss.start();
    await boss.createQueue(QUEUE, { retryLimit: 10, retryDelay: 0 });
    const store = pg(pool);
    const options = {
      store: losing(store, (slice) => {
        if (slice % 4 === 0) throw new Error("the answer was lost");
      }),
      queue: QUEUE,
      pollingIntervalSeconds: 0.5,
      onEnd: (result: FanOutResult) => ended.get(result.job)?.(result),
    };
    for (let worker = 0; worker < WORKERS; worker += 1) await workFanOut(boss, options);
    const refused = sendFanOut(boss, "cleartokens", { store, queue: QUEUE }, { parts: 0 });
    await assert.rejects(refused, { code: "invalid_setting" });
    const misspelt = sendFanOut(boss, "cleartokens", { store, queue: QUEUE }, { dryRun: true } as never);
    await assert.rejects(misspelt, { code: "unknown_setting" });
    for (const job of JOBS) {
      const before = await rowsOf(url);
      const end = new Promise<FanOutResult>((resolve) => ended.set(job, resolve));
      const run = await sendFanOut(boss, job, { store, queue: QUEUE }, { parts: 3, now: new Date(NOW) });
      await assert.rejects(sendFanOut(boss, job, { store, queue: QUEUE }), { code: "store_leased" });
      const result = await end;
      assert.equal(result.run, run);
      assert.deepEqual(result.removed, countLost(before, await rowsOf(url)), job);
      await oracle(["run", "--now", NOW, job], { database: theirs });
      compareRows({ name: "ours", rows: await rowsOf(url) }, { name: "theirs", rows: await rowsOf(theirs) });
    }
  } finally {
    await boss.stop({ graceful: false }).catch(() => undefined);
    await pool.end();
  }
});
