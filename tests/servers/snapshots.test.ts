/**
 * A slice on PostgreSQL is one statement, and sees one moment of the database. What is committed between that moment and its
 * locks is what these tests are about: they have the statement sleep in between.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { JobName, Report } from "idp-janitor";
import type { Engine } from "../support/engines.ts";
import { query } from "../support/server-query.ts";
import { AT } from "./instants.ts";
import * as make from "./makers.ts";
import { ACCESS, APPLICATION, REFRESH, USER } from "./makers.ts";
import { BEN, chains, LIV, people, verify } from "./people.ts";
import { emptyDatabase, type Options, Scene } from "./scene.ts";
import { POSTGRES } from "./servers.ts";
import type { Transaction } from "./transaction.ts";

const ACCOUNTS = "remove_stale_unverified_accounts";
const TOKENS = "cleartokens";
const SLEEP_S = 0.3;
/** What is begun a third into the sleep, and committed after this, is waited for by the slice, which is patient for longer. */
const UNTIL_WANTED_MS = 260;
const MOMENT = /(idp_janitor_locked AS MATERIALIZED \(SELECT t\.ctid AS place FROM \S+ AS t WHERE )/;

describe("between the moment that a slice sees and its locks", { concurrency: 3 }, () => {
  let engine: Engine;
  let empty: string;
  before(async () => {
    engine = await POSTGRES.start();
    empty = await emptyDatabase(engine);
  });
  after(() => engine.close());

  const scene = (fill: (transaction: Transaction) => Promise<void>) =>
    Scene.of({ server: POSTGRES, engine, empty }, fill);

  /** Runs a job whose first slice from a table sleeps, and does something meanwhile. */
  async function whileAsleep(
    on: Scene,
    job: JobName,
    table: string,
    work: () => Promise<void>,
    options: Options = {},
  ): Promise<Report> {
    let done: Promise<void> | undefined;
    const report = await on.run(
      job,
      {
        rewrite(sql) {
          if (done || MOMENT.exec(sql)?.[0].includes(table) !== true) return sql;
          done = setTimeout((SLEEP_S * 1000) / 3).then(work);
          return sql.replace(MOMENT, `$1(SELECT true FROM pg_sleep(${SLEEP_S})) AND `);
        },
      },
      options,
    );
    assert.ok(done, "a slice was put to sleep");
    await done;
    return report;
  }

  test("whoever verifies stays", async () => {
    await using on = await scene(people);
    const report = await whileAsleep(on, ACCOUNTS, USER, () =>
      on.transact((transaction) => verify(transaction, BEN)),
    );
    assert.deepEqual([report.removed[USER], report.held], [2, 0]);
    await on.check(ACCOUNTS, [report]);
  });

  test("whoever logs in only goes, now or by the next run", async () => {
    await using on = await scene(people);
    const logIn = (transaction: Transaction) => transaction.update(USER, BEN, { last_login: AT.now });
    const report = await whileAsleep(on, ACCOUNTS, USER, () => on.transact(logIn));
    await on.check(ACCOUNTS, [report, await on.run(ACCOUNTS)]);
  });

  test("a token that comes in goes with its user, by the slice that follows", async () => {
    await using on = await scene(people);
    const add = (transaction: Transaction) =>
      make.addRefreshToken(transaction, { id: "99", user_id: BEN, application_id: "1" });
    const report = await whileAsleep(on, ACCOUNTS, USER, () => on.transact(add));
    assert.deepEqual([report.removed[USER], report.removed[REFRESH], report.held], [3, 4, 0]);
    await on.check(ACCOUNTS, [report]);
  });

  test("an application that is handed over stays", async () => {
    await using on = await scene(people);
    const handOver = (transaction: Transaction) => transaction.update(APPLICATION, "2", { user_id: LIV });
    const report = await whileAsleep(on, ACCOUNTS, USER, () => on.transact(handOver));
    assert.deepEqual([report.removed[USER], report.removed[APPLICATION]], [3, 2]);
    await on.check(ACCOUNTS, [report]);
  });

  test("an application that comes to somebody who goes, goes", async () => {
    await using on = await scene(people);
    await on.transact((transaction) => make.addApplication(transaction, { id: "9", user_id: LIV }));
    await on.transact((transaction) =>
      make.addAccessToken(transaction, { id: "99", user_id: LIV, application_id: "9" }),
    );
    const handOver = (transaction: Transaction) => transaction.update(APPLICATION, "9", { user_id: BEN });
    const report = await whileAsleep(on, ACCOUNTS, USER, () => on.transact(handOver));
    assert.deepEqual([report.removed[USER], report.removed[APPLICATION], report.removed[ACCESS]], [3, 4, 7]);
    await on.check(ACCOUNTS, [report]);
  });

  test("a refresh token whose access token is extended in place does not expire", async () => {
    await using on = await scene(chains);
    const extend = (transaction: Transaction) => transaction.update(ACCESS, "2", { expires: AT.soon });
    const report = await whileAsleep(on, TOKENS, REFRESH, () => on.transact(extend));
    assert.deepEqual([report.removed[REFRESH], report.removed[ACCESS]], [2, 2]);
    await on.check(TOKENS, [report]);
  });

  test("an access token that gets a refresh token stays", async () => {
    await using on = await scene(chains);
    const add = (transaction: Transaction) =>
      make.addRefreshToken(transaction, {
        id: "92",
        user_id: LIV,
        application_id: "1",
        access_token_id: "2",
      });
    const report = await whileAsleep(on, TOKENS, ACCESS, () => on.transact(add));
    assert.deepEqual([report.removed[REFRESH], report.removed[ACCESS], report.held], [3, 2, 0]);
    // The new one is stale itself; its table had been walked by then.
    await on.check(TOKENS, [report], 1);
  });

  test("an access token that is extended while it lets go of its refresh token keeps both changes", async () => {
    await using on = await scene(async (transaction) => {
      await chains(transaction);
      await make.addAccessToken(transaction, {
        ...{ id: "22", user_id: LIV, application_id: "1", source_refresh_token_id: "2" },
      });
    });
    const report = await whileAsleep(on, TOKENS, REFRESH, async () => {
      const transaction = await on.begin();
      await transaction.update(ACCESS, "22", { expires: AT.now });
      await setTimeout(UNTIL_WANTED_MS);
      await on.commit(transaction);
    });
    assert.deepEqual([report.removed[REFRESH], report.changed[ACCESS], report.held], [3, 1, 0]);
    await on.check(TOKENS, [report]);
  });

  test("rows of a table of the project's own, with no index on its key, are found however they change", async () => {
    await using on = await scene(people);
    await query(
      on.url,
      `CREATE TABLE notes (id int PRIMARY KEY, user_id uuid REFERENCES ${USER}, note text)`,
    );
    await query(on.url, `INSERT INTO notes SELECT row_number() OVER (), id, '' FROM ${USER}`);
    await query(
      on.url,
      `CREATE TABLE marks (id int PRIMARY KEY, user_id uuid REFERENCES ${USER}, note text)`,
    );
    await query(on.url, `INSERT INTO marks SELECT row_number() OVER (), id, '' FROM ${USER}`);
    const onDelete = { "notes.user_id": "cascade", "marks.user_id": "set-null" } as const;
    const other = await on.begin();
    const report = await whileAsleep(
      on,
      ACCOUNTS,
      USER,
      async () => {
        for (const table of ["notes", "marks"]) await other.run(`UPDATE ${table} SET note = 'changed'`);
        await setTimeout(UNTIL_WANTED_MS);
        await other.commit();
      },
      { onDelete },
    );
    assert.deepEqual([report.removed[USER], report.removed.notes, report.changed.marks], [3, 3, 3]);
    assert.equal(report.held, 0);
  });
});
