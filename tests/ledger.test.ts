/** What slices write down is what has gone, however often the answer to one is lost after its commit. */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, test } from "node:test";
import { createJanitor, JanitorError, type JobName, openLedger, type SqlStore } from "idp-janitor";
import { memory } from "idp-janitor/adapters/memory";
import { nodeSqlite } from "idp-janitor/adapters/node-sqlite";
import type { Engine } from "./support/engines.ts";
import { countLost } from "./support/judge.ts";
import { losing } from "./support/losing.ts";
import { NOW } from "./support/original-cases.ts";
import { readDatabase, seededDatabase } from "./support/originals.ts";
import { readServerDatabase, seededServerDatabase } from "./support/originals-servers.ts";
import { SERVERS } from "./support/servers.ts";

const JOBS: readonly JobName[] = ["remove_stale_unverified_accounts", "cleartokens", "clearsessions"];

async function holds(
  real: SqlStore,
  rows: () => Promise<ReadonlyMap<string, readonly string[]>>,
): Promise<void> {
  const ledger = await openLedger(real);
  let lost = 0;
  const store = losing(real, (slice) => {
    if (slice % 2 === 1) return;
    lost += 1;
    throw new JanitorError("store_unavailable", "the connection was lost after the commit");
  });
  for (const job of JOBS) {
    const before = await rows();
    const run = `nightly:${job}`;
    const report = await createJanitor({ store }).run(job, { now: NOW, ledger: run, sliceMs: 5 });
    assert.equal(report.complete, true);
    const { removed } = await ledger.read(run);
    const { idp_janitor_ledger: _, ...gone } = countLost(before, await rows());
    assert.deepEqual(removed, gone, job);
    await ledger.forget(run);
    assert.deepEqual(await ledger.read(run), { removed: {}, changed: {} });
  }
  assert.ok(lost > 1, `${lost} answers lost`);
}

describe("a ledger", () => {
  test("holds on SQLite", async () => {
    const path = await seededDatabase(1, NOW, 3000);
    const database = new DatabaseSync(path);
    try {
      await holds(nodeSqlite(database), async () => readDatabase(path));
    } finally {
      database.close();
    }
  });

  for (const server of SERVERS) {
    describe(`on ${server.title}`, () => {
      let engine: Engine;
      before(async () => {
        engine = await server.start();
      });
      after(() => engine.close());

      test("holds", async () => {
        const url = await seededServerDatabase(engine, 1, NOW);
        const { store, end } = server.open(url);
        try {
          await holds(store, () => readServerDatabase(url));
        } finally {
          await end();
        }
      });

      /** Regression: PostgreSQL refuses all but one of those that make a table at the same moment. */
      test("opens for many at the same moment", async () => {
        const { store, end } = server.open(await seededServerDatabase(engine, 1, NOW));
        try {
          for (let round = 0; round < 10; round += 1) {
            await Promise.all(Array.from({ length: 8 }, () => openLedger(store)));
            await store.batch([{ sql: "DROP TABLE idp_janitor_ledger", params: [] }]);
          }
        } finally {
          await end();
        }
      });
    });
  }

  test("tells the same as a report, what let go included", async () => {
    const path = await seededDatabase(2, NOW);
    const database = new DatabaseSync(path);
    try {
      const store = nodeSqlite(database);
      const ledger = await openLedger(store);
      for (const job of JOBS) {
        const { removed, changed } = await createJanitor({ store }).run(job, { now: NOW, ledger: job });
        assert.deepEqual(await ledger.read(job), { removed, changed });
      }
    } finally {
      database.close();
    }
  });

  test("is not written by a dry run, and is refused where it cannot be", async () => {
    const path = await seededDatabase(3, NOW);
    const database = new DatabaseSync(path);
    try {
      const store = nodeSqlite(database);
      await openLedger(store);
      await createJanitor({ store }).run("clearsessions", { now: NOW, ledger: "dry", dryRun: true });
      assert.equal(database.prepare("SELECT count(*) AS n FROM idp_janitor_ledger").get()?.n, 0);
      for (const ledger of ["", "x".repeat(101), "a b", "it's", "\\"]) {
        const run = createJanitor({ store }).run("clearsessions", { now: NOW, ledger });
        await assert.rejects(run, { code: "invalid_setting", message: /`ledger` must be/ });
      }
      const records = memory({ django_session: [] }, { ids: { django_session: "session_key" } });
      const run = createJanitor({ store: records }).run("clearsessions", { ledger: "x" });
      await assert.rejects(run, {
        code: "invalid_setting",
        message: /`ledger` must be absent for a record store/,
      });
    } finally {
      database.close();
    }
  });
});
