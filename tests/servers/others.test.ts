/** What others do to a table of PostgreSQL while it is walked, and what their settings do. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createJanitor, JanitorError, type Report, type SqlStore } from "idp-janitor";
import { pg } from "idp-janitor/adapters/pg";
import { Pool } from "pg";
import type { Engine } from "../support/engines.ts";
import { startPostgres } from "../support/postgres.ts";
import { ACCOUNTS, NOW, openedOn, requests } from "./opened.ts";

let engine: Engine;
before(async () => {
  engine = await startPostgres();
});
after(() => engine.close());

/** Runs a body on a new database; see `openedOn`. */
const on = (...given: Parameters<typeof openedOn> extends [Engine, ...infer Rest] ? Rest : never) =>
  openedOn(engine, ...given);

test("stale rows that move while their table is walked are found all the same", async () => {
  const statements = `CREATE TABLE people (id bigint PRIMARY KEY, email_verified timestamptz, date_joined timestamptz NOT NULL,
      inviter_id bigint REFERENCES people ON DELETE SET NULL);
    CREATE INDEX ON people (inviter_id);
    INSERT INTO people SELECT n, NULL, '2026-01-01+00', CASE WHEN n > 1500 THEN n - 1500 END FROM generate_series(1, 3000) AS n;
    ${requests("hidp_accounts_emailchangerequest", "people")}`;
  await on(statements, "public", async (opened) => {
    await opened.rows("VACUUM FULL people");
    const dry = await opened.run(ACCOUNTS, { dryRun: true });
    const real = await opened.run(ACCOUNTS);
    assert.deepEqual([dry.wouldRemove?.people, real.removed.people], [3000, 3000]);
    assert.deepEqual(await opened.rows("SELECT count(*)::int FROM people"), [[0]]);
  });
});

const MANY = `CREATE TABLE people (id bigint PRIMARY KEY, email_verified timestamptz, date_joined timestamptz NOT NULL);
  INSERT INTO people SELECT n, NULL, '2026-01-01+00' FROM generate_series(1, 2000) AS n;
  ${requests("hidp_accounts_emailchangerequest", "people")}`;

test("what somebody holds is told as held, whatever ends the run, and the next pass takes it", async () => {
  await on(MANY, "public", async (opened) => {
    await opened.whileHeld("SELECT FROM people WHERE id % 200 = 0", async () => {
      const bounded = await opened.run(ACCOUNTS, { maxRows: 2000 });
      assert.deepEqual([bounded.removed.people, bounded.held, bounded.complete], [1990, 10, true]);
      assert.match(bounded.warnings.join(), /10 stale row\(s\) were kept because somebody held them/);
    });
    assert.deepEqual((await opened.run(ACCOUNTS)).removed.people, 10);
  });
});

test("a pass of many bounded runs tells every row that was held", async () => {
  await on(MANY, "public", async (opened) => {
    await opened.whileHeld("SELECT FROM people WHERE id % 200 = 0", async () => {
      const sum = { removed: 0, held: 0 };
      let checkpoint: Report["checkpoint"];
      for (let runs = 0; ; runs += 1) {
        const report = await opened.run(ACCOUNTS, { maxRows: 300, ...(checkpoint && { checkpoint }) });
        sum.removed += report.removed.people ?? 0;
        sum.held += report.held;
        if (report.complete) break;
        checkpoint = report.checkpoint;
        assert.ok(runs < 30, "the pass ends");
      }
      assert.deepEqual(sum, { removed: 1990, held: 10 });
    });
  });
});

test("a table that somebody has locked whole does not keep a run from ending", {
  timeout: 30_000,
}, async () => {
  await on(MANY, "public", async (opened) => {
    for (const dryRun of [true, false]) {
      await opened.whileLocked("people", async () => {
        const report = await opened.run(ACCOUNTS, { dryRun, signal: AbortSignal.timeout(200) });
        assert.deepEqual([report.complete, report.selected, report.removed], [false, 0, {}]);
      });
    }
    assert.equal((await opened.run(ACCOUNTS)).removed.people, 2000);
  });
});

test("a slice reads its own blocks, whatever the role has the planner do", async () => {
  const url = await engine.createDatabase();
  const pool = new Pool({ connectionString: url, options: "-c enable_tidscan=off" });
  try {
    await pool.query(MANY);
    const store = pg(pool);
    const plans: string[] = [];
    const explaining: SqlStore = {
      ...store,
      async batch(statements) {
        const explained = statements.map(({ sql, params }) => ({
          sql: sql.startsWith("WITH") ? `EXPLAIN ${sql}` : sql,
          params,
        }));
        for (const { rows } of await store.batch(explained)) plans.push(rows.flat().join("\n"));
        return store.batch(statements);
      },
    };
    const report = await createJanitor({ store: explaining }).run(ACCOUNTS, { now: NOW });
    assert.equal(report.removed.people, 2000);
    assert.match(plans.join("\n"), /Tid Range Scan on people/);
    assert.doesNotMatch(plans.join("\n"), /Seq Scan on people/);
  } finally {
    await pool.end();
  }
});

test("of a slice whose answer is lost when another has failed nobody says that nothing was changed", {
  timeout: 30_000,
}, async () => {
  const pool = new Pool({ connectionString: await engine.createDatabase(), max: 4 });
  try {
    await pool.query(`CREATE TABLE django_session (session_key text PRIMARY KEY, expire_date timestamptz NOT NULL);
      INSERT INTO django_session SELECT n::text, '2020-01-01+00' FROM generate_series(1, 40000) AS n`);
    const inner = pg(pool);
    let slices = 0;
    let done: () => void = () => undefined;
    const committed = new Promise<void>((resolve) => {
      done = resolve;
    });
    const store: SqlStore = {
      ...inner,
      async batch(statements) {
        if (!statements.some(({ sql }) => sql.includes("DELETE FROM"))) return inner.batch(statements);
        slices += 1;
        if (slices === 1) {
          // Not before the other is under way.
          await committed;
          throw new JanitorError("store_denied", "denied");
        }
        await inner.batch(statements);
        done();
        // Not before the first has ended the run.
        await new Promise((resolve) => setTimeout(resolve, 200));
        throw new JanitorError("store_unavailable", "the connection was lost");
      },
    };
    const run = createJanitor({ store }).run("clearsessions", { now: NOW, concurrency: 2 });
    await assert.rejects(run, (error: JanitorError) => {
      assert.equal(error.code, "store_denied");
      assert.match(error.message, /of 1 more all was changed or nothing/);
      assert.equal(error.report?.uncertain, 1);
      return true;
    });
    const { rows } = await pool.query("SELECT count(*)::int AS rows FROM django_session");
    assert.ok(rows[0].rows < 40_000);
  } finally {
    await pool.end();
  }
});
