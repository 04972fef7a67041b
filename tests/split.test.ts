/** Sweeps in parts do what a run does. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { PGlite } from "@electric-sql/pglite";
import { type Checkpoint, createJanitor, JanitorError } from "idp-janitor";
import { pglite } from "idp-janitor/adapters/pglite";
import { hooked } from "./servers/hooked.ts";

const NOW = "2026-11-01T00:00:00Z";
const JOB = "remove_stale_unverified_accounts";

/** 6,000 stale users, of whom the later half lets go of the earlier one. */
const PEOPLE = `
  CREATE TABLE people (id bigint PRIMARY KEY, email_verified timestamptz, date_joined timestamptz NOT NULL,
    invited_by bigint REFERENCES people (id), about text);
  CREATE INDEX ON people (invited_by);
  CREATE TABLE hidp_accounts_emailchangerequest (id bigint PRIMARY KEY, user_id bigint NOT NULL REFERENCES people (id));
  CREATE INDEX ON hidp_accounts_emailchangerequest (user_id);
  INSERT INTO people SELECT n, NULL, '2020-01-01', nullif(greatest(n - 3000, 0), 0), repeat('x', 200)
    FROM generate_series(1, 6000) AS s (n);
  ANALYZE people`;

async function withPeople(work: (database: PGlite) => Promise<void>): Promise<void> {
  const database = new PGlite();
  try {
    await database.exec(PEOPLE);
    await work(database);
    assert.deepEqual((await database.query("SELECT count(*)::int AS n FROM people")).rows, [{ n: 0 }]);
  } finally {
    await database.close();
  }
}

/** Regression: on PostgreSQL a row that lets go lies behind the end that the table had when it was cut. */
test("a part takes along what moved while it was walked", () =>
  withPeople(async (database) => {
    const janitor = createJanitor({ store: pglite(database), onDelete: { "people.invited_by": "set-null" } });
    const { steps, parts } = await janitor.split(JOB, { now: NOW, step: 0, parts: 4 });
    assert.deepEqual([steps, parts.length], [1, 1]);
    const report = await janitor.run(JOB, parts[0] ? { checkpoint: parts[0] } : {});
    assert.deepEqual([report.complete, report.removed], [true, { people: 6000 }]);
    assert.deepEqual(await janitor.split(JOB, { now: NOW, step: 1, parts: 4 }), { steps: 1, parts: [] });
  }));

/** Regression: what had moved was forgotten where a bound ended the run, or the walk. */
test("a table whose rows move is walked again, whatever bounds there are", () =>
  withPeople(async (database) => {
    const janitor = createJanitor({ store: pglite(database), onDelete: { "people.invited_by": "set-null" } });
    let removed = 0;
    let runs = 0;
    for (let checkpoint: Checkpoint | undefined; runs === 0 || checkpoint; runs += 1) {
      const report = await janitor.run(JOB, {
        now: NOW,
        maxRows: 700,
        sliceMs: 60_000,
        ...(checkpoint && { checkpoint }),
      });
      removed += report.removed.people ?? 0;
      checkpoint = report.checkpoint;
    }
    assert.deepEqual([removed, runs > 8], [6000, true]);
  }));

/** Regression: what a slice had moved was left where its confirmation was lost, and nothing else went in that walk. */
test("a table is walked again after a slice whose confirmation was lost", () =>
  withPeople(async (database) => {
    // Four fill a block, so that what moves lies behind the end. The first slice takes a hundred blocks, which is all that is stale.
    await database.exec(`TRUNCATE people CASCADE; ALTER TABLE people ALTER about SET STORAGE PLAIN;
      INSERT INTO people SELECT n, NULL, CASE WHEN n BETWEEN 401 AND 500 THEN '2026-10-31' ELSE '2020-01-01' END::timestamptz,
        CASE WHEN n > 500 THEN n - 500 END, repeat('x', 1980) FROM generate_series(1, 600) AS s (n); ANALYZE people`);
    const store = hooked(pglite(database), {
      afterSlice(number) {
        if (number === 1)
          throw new JanitorError("store_unavailable", "the connection was lost after the commit");
      },
    });
    const onDelete = { "people.invited_by": "set-null" } as const;
    const report = await createJanitor({ store, onDelete }).run(JOB, { now: NOW });
    assert.deepEqual([report.complete, report.removed], [true, { people: 100 }]);
    assert.match(report.warnings.join(), /the connection was lost during at least 1 slice/);
    const left = await database.query("DELETE FROM people RETURNING id");
    assert.equal(left.rows.length, 100);
  }));

/** Regression: rows that stay were counted once for each walk. */
test("a table that is walked again tells what stays once", () =>
  withPeople(async (database) => {
    await database.exec(`
      CREATE TABLE badges (id bigint PRIMARY KEY, person bigint REFERENCES people (id));
      CREATE INDEX ON badges (person);
      INSERT INTO badges VALUES (1, 17);
      UPDATE people SET invited_by = NULL WHERE invited_by = 17`);
    const onDelete = { "people.invited_by": "set-null", "badges.person": "restrict" } as const;
    const report = await createJanitor({ store: pglite(database), onDelete }).run(JOB, { now: NOW });
    assert.deepEqual(
      [report.complete, report.removed.people, report.restricted, report.selected],
      [true, 5999, 1, 6000],
    );
    await database.exec("DELETE FROM badges; DELETE FROM people");
  }));

test("a key that acts by itself is refused where the rule leaves it out", () =>
  withPeople(async (database) => {
    await database.exec(`
      DELETE FROM people;
      CREATE TABLE oauth2_provider_idtoken (id bigint PRIMARY KEY, expires timestamptz NOT NULL);
      CREATE TABLE oauth2_provider_accesstoken (id bigint PRIMARY KEY, expires timestamptz NOT NULL,
        id_token_id bigint UNIQUE REFERENCES oauth2_provider_idtoken (id) ON DELETE CASCADE);
      CREATE TABLE oauth2_provider_refreshtoken (id bigint PRIMARY KEY, revoked timestamptz,
        access_token_id bigint UNIQUE REFERENCES oauth2_provider_accesstoken (id));
      CREATE TABLE oauth2_provider_grant (id bigint PRIMARY KEY, expires timestamptz NOT NULL)`);
    await assert.rejects(createJanitor({ store: pglite(database) }).run("cleartokens", { now: NOW }), {
      code: "unsupported_schema",
      message: /`oauth2_provider_accesstoken\.id_token_id` is declared to act on a deletion by itself/,
    });
  }));

test("parts that are done in any order leave nothing, and end where they end", () =>
  withPeople(async (database) => {
    await database.exec("UPDATE people SET invited_by = NULL");
    await database.exec("ALTER TABLE people DROP COLUMN invited_by");
    const janitor = createJanitor({ store: pglite(database) });
    const { parts } = await janitor.split(JOB, { now: NOW, step: 0, parts: 4 });
    assert.equal(parts.length, 4);
    let removed = 0;
    for (const checkpoint of parts.toReversed()) {
      const report = await janitor.run(JOB, { checkpoint });
      assert.equal(report.complete, true);
      assert.ok((report.removed.people ?? 0) < 6000);
      removed += report.removed.people ?? 0;
    }
    assert.equal(removed, 6000);
  }));

test("refuses parts that it cannot have, and those of another pass", () =>
  withPeople(async (database) => {
    await database.exec("ALTER TABLE people DROP COLUMN invited_by");
    const janitor = createJanitor({ store: pglite(database) });
    for (const parts of [0, 1.5, 1001]) {
      await assert.rejects(janitor.split(JOB, { step: 0, parts }), { code: "invalid_setting" });
    }
    const { parts } = await janitor.split(JOB, { now: NOW, step: 0, parts: 2 });
    const [checkpoint] = parts;
    assert.ok(checkpoint);
    const other = janitor.run(JOB, { checkpoint, settings: { days: 1 } });
    await assert.rejects(other, { code: "invalid_checkpoint", message: /other settings/ });
    await janitor.run(JOB, { now: NOW });
  }));
