/** What is peculiar to MySQL and MariaDB: keys by which they can be walked, keys that are not checked, and what a slice locks. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createJanitor } from "idp-janitor";
import { mysql2 } from "idp-janitor/adapters/mysql2";
import { createPool, type Pool, type RowDataPacket } from "mysql2/promise";
import type { Engine } from "../support/engines.ts";
import { startMariadb } from "../support/mariadb.ts";

const NOW = "2026-06-01T00:00:00Z";
/** How many sessions there are; every other one is stale. */
const SESSIONS = 6000;

let engine: Engine;
let isMariadb: boolean;
before(async () => {
  engine = await startMariadb();
  const pool = createPool(await engine.createDatabase());
  const [[row]] = await pool.query<RowDataPacket[]>("SELECT VERSION() AS version");
  isMariadb = String(row?.version).includes("MariaDB");
  await pool.end();
});
after(() => engine.close());

/** Sessions with keys of a type, each made from the number `seq`, and a pool on them by a character set. */
async function onSessions(
  { type, key, charset = "utf8mb4" }: { type: string; key: string; charset?: string | undefined },
  body: (pool: Pool) => Promise<void>,
): Promise<void> {
  const url = await engine.createDatabase();
  const maker = createPool(`${url}?charset=utf8mb4`);
  const pool = createPool(`${url}?charset=${charset}`);
  try {
    await maker.query("CREATE TABLE digits (digit int PRIMARY KEY)");
    await maker.query("INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)");
    await maker.query(
      `CREATE TABLE django_session (session_key ${type} PRIMARY KEY, expire_date datetime(6) NOT NULL)`,
    );
    await maker.query(`INSERT INTO django_session
      SELECT ${key}, IF(seq % 2 = 0, '2026-01-01', '2027-01-01') FROM (
        SELECT 1000 * d.digit + 100 * c.digit + 10 * b.digit + a.digit AS seq
        FROM digits AS a, digits AS b, digits AS c, digits AS d WHERE 1000 * d.digit < ${SESSIONS}) AS numbers`);
    await body(pool);
  } finally {
    await pool.end();
    await maker.end();
  }
}

for (const { type, key, charset, ofMariadb } of [
  { type: "bigint", key: "CAST(seq AS signed) - 3000" },
  { type: "bigint unsigned", key: "18446744073709551615 - seq" },
  { type: "char(32)", key: "left(sha2(seq, 256), 32)" },
  {
    type: "varchar(60) COLLATE utf8mb4_bin",
    key: "concat(char(ascii('!') + seq % 90), left(sha2(seq, 256), 32))",
  },
  {
    type: "varchar(60) COLLATE utf8mb4_general_ci",
    key: "concat(char(ascii('!') + seq % 90), if(seq % 3 = 0, '\u00c9', 'e'), seq, if(seq % 5 = 0, ' ', ''))",
  },
  { type: "varchar(40) CHARACTER SET latin1", key: "concat('\u00e4 ''\\\\', seq)" },
  {
    type: "varchar(60) CHARACTER SET latin1 COLLATE latin1_german2_ci",
    key: "concat(elt(1 + seq % 4, '\u00e4', 'ae', '\u00df', 'ss'), seq)",
    charset: "latin1_swedish_ci",
  },
  { type: "varchar(40)", key: "concat('\u6f22', seq)", charset: "latin1_swedish_ci" },
  { type: "varchar(40)", key: "concat('\u{1f511}%_', seq)" },
  { type: "uuid", key: "uuid()", ofMariadb: true },
  {
    type: "varchar(60) COLLATE utf8mb4_unicode_nopad_ci",
    key: "concat(char(ascii('!') + seq % 90), seq, if(seq % 5 = 0, '  ', ''))",
    ofMariadb: true,
  },
] as { type: string; key: string; charset?: string; ofMariadb?: boolean }[]) {
  test(`walks by ${type}, ${key}${charset ? ` over ${charset}` : ""}`, async (context) => {
    if (ofMariadb && !isMariadb) {
      context.skip("MySQL does not know the type");
      return;
    }
    await onSessions({ type, key, charset }, async (pool) => {
      const janitor = createJanitor({ store: mysql2(pool) });
      const dry = await janitor.run("clearsessions", { now: NOW, dryRun: true, sliceMs: 5 });
      const real = await janitor.run("clearsessions", { now: NOW, sliceMs: 5, concurrency: 3 });
      const stale = { django_session: SESSIONS / 2 };
      assert.deepEqual([dry.selected, dry.wouldRemove, real.removed], [SESSIONS / 2, stale, stale]);
      assert.ok(real.slices > 3, `${real.slices} slices`);
      const [left] = await pool.query<RowDataPacket[]>(
        "SELECT count(*) AS kept, sum(expire_date > '2026-06-01') AS fresh FROM django_session",
      );
      assert.deepEqual([Number(left[0]?.kept), Number(left[0]?.fresh)], [SESSIONS / 2, SESSIONS / 2]);
    });
  });
}

for (const [type, key] of [
  ["binary(16)", "left(unhex(sha2(seq, 256)), 16)"],
  ["varbinary(40)", "unhex(sha2(seq, 256))"],
  ["decimal(8, 2)", "seq"],
] as const) {
  test(`refuses to walk by ${type}`, async () => {
    await onSessions({ type, key }, async (pool) => {
      const run = createJanitor({ store: mysql2(pool) }).run("clearsessions", { now: NOW });
      const refused = { code: "unsupported_schema", message: /cannot be walked: its primary key/ };
      await assert.rejects(run, refused);
    });
  });
}

const TOKENS = [
  "CREATE TABLE oauth2_provider_idtoken (id bigint PRIMARY KEY, expires datetime(6) NOT NULL)",
  `CREATE TABLE oauth2_provider_accesstoken (id bigint PRIMARY KEY, expires datetime(6) NOT NULL, id_token_id bigint,
    source_refresh_token_id bigint, FOREIGN KEY (id_token_id) REFERENCES oauth2_provider_idtoken (id))`,
  `CREATE TABLE oauth2_provider_refreshtoken (id bigint PRIMARY KEY, revoked datetime(6), access_token_id bigint,
    CONSTRAINT in_use FOREIGN KEY (access_token_id) REFERENCES oauth2_provider_accesstoken (id))`,
  "CREATE TABLE oauth2_provider_grant (id bigint PRIMARY KEY, expires datetime(6) NOT NULL)",
  "INSERT INTO oauth2_provider_accesstoken VALUES (7, '2020-01-01', NULL, NULL)",
];

for (const [what, statement, init] of [
  ["there is no key", "ALTER TABLE oauth2_provider_refreshtoken DROP FOREIGN KEY in_use", "SELECT 1"],
  ["the connection checks no keys", "SELECT 1", "SET foreign_key_checks = 0"],
] as const) {
  test(`refuses to remove what may come into use where ${what}`, async () => {
    const pool = createPool(await engine.createDatabase());
    pool.pool.on("connection", (connection) => connection.query(init, () => undefined));
    try {
      for (const sql of [...TOKENS, statement]) await pool.query(sql);
      const janitor = createJanitor({ store: mysql2(pool) });
      for (const dryRun of [true, false]) {
        await assert.rejects(janitor.run("cleartokens", { now: NOW, dryRun }), {
          code: "unsupported_schema",
          message:
            /nothing keeps rows of `oauth2_provider_accesstoken` from going that come into use meanwhile/,
        });
      }
      const [left] = await pool.query<RowDataPacket[]>("SELECT id FROM oauth2_provider_accesstoken");
      assert.equal(left.length, 1);
    } finally {
      await pool.end();
    }
  });
}

/** An engine that takes a table for small would rather read all of it, and would lock, or find locked, whatever it reads. */
test("meets nobody who holds rows that are not stale, however small the tables", async () => {
  const pool = createPool(await engine.createDatabase());
  const holder = await pool.getConnection();
  try {
    for (const sql of ACCOUNTS) await pool.query(sql);
    await holder.query("START TRANSACTION");
    for (const table of ["people", "hidp_accounts_emailchangerequest", "notes"]) {
      await holder.query(`SELECT * FROM ${table} WHERE id = 2 FOR UPDATE`);
    }
    const janitor = createJanitor({ store: mysql2(pool), onDelete: { "notes.person_id": "set-null" } });
    const report = await janitor.run("remove_stale_unverified_accounts", { now: NOW });
    assert.deepEqual(report.removed, { hidp_accounts_emailchangerequest: 1, people: 1 });
    assert.deepEqual([report.changed, report.held], [{ notes: 1 }, 0]);
    await holder.query("ROLLBACK");
    for (const table of ["people", "hidp_accounts_emailchangerequest"]) {
      const [left] = await pool.query<RowDataPacket[]>(`SELECT id FROM ${table}`);
      assert.deepEqual(
        left.map(({ id }) => id),
        [2],
      );
    }
  } finally {
    holder.release();
    await pool.end();
  }
});

/** Indexes that come first by their names, and of which none finds rows by what they point at. */
for (const [what, index] of [
  ["a prefix", "ADD INDEX a1 (person_id(1))"],
  ["a hash of more than fits", "ADD UNIQUE INDEX a1 (person_id, url)"],
] as const) {
  test(`meets nobody who holds rows that are not stale, whatever indexes there are: ${what}`, async (context) => {
    if (index.includes("url") && !isMariadb) {
      context.skip("MySQL has no such indexes");
      return;
    }
    const pool = createPool(await engine.createDatabase());
    const holder = await pool.getConnection();
    try {
      for (const sql of PEOPLE_BY_NAME) await pool.query(sql);
      await pool.query(`ALTER TABLE notes ${index}`);
      await holder.query("START TRANSACTION");
      await holder.query("SELECT * FROM notes WHERE id = 2 FOR UPDATE");
      const janitor = createJanitor({ store: mysql2(pool), onDelete: { "notes.person_id": "cascade" } });
      const report = await janitor.run("remove_stale_unverified_accounts", { now: NOW });
      assert.deepEqual([report.removed, report.held], [{ notes: 1, people: 1 }, 0]);
    } finally {
      await holder.query("ROLLBACK");
      holder.release();
      await pool.end();
    }
  });
}

const PEOPLE_BY_NAME = [
  "CREATE TABLE people (id char(32) PRIMARY KEY, email_verified datetime(6), date_joined datetime(6) NOT NULL)",
  `CREATE TABLE hidp_accounts_emailchangerequest (id int PRIMARY KEY, user_id char(32) NOT NULL, created_at datetime(6) NOT NULL,
    confirmed_by_current_email bool NOT NULL, confirmed_by_proposed_email bool NOT NULL,
    FOREIGN KEY (user_id) REFERENCES people (id))`,
  `CREATE TABLE notes (id int PRIMARY KEY, person_id char(32), url varchar(2000),
    CONSTRAINT z_notes FOREIGN KEY (person_id) REFERENCES people (id))`,
  "INSERT INTO people VALUES ('x1', NULL, '2020-01-01'), ('x2', '2020-01-02', '2020-01-01')",
  "INSERT INTO notes VALUES (1, 'x1', 'a'), (2, 'x2', 'b')",
];

/** MariaDB leaves out of its schema what it cannot lock in time. */
test("does not take a schema for whole of which a part is locked", { timeout: 60_000 }, async () => {
  const url = await engine.createDatabase();
  const pool = createPool(url);
  pool.pool.on("connection", (connection) => connection.query("SET lock_wait_timeout = 1", () => undefined));
  const [changing, holder] = [await pool.getConnection(), await pool.getConnection()];
  try {
    for (const sql of ACCOUNTS) await pool.query(sql);
    await pool.query("CREATE TABLE other (id int PRIMARY KEY)");
    await holder.query("START TRANSACTION");
    await holder.query("SELECT * FROM other");
    await changing.query("SET lock_wait_timeout = 50");
    // It has the one, and waits for the other.
    const changed = changing.query("RENAME TABLE notes TO renamed, other TO another");
    await new Promise((resolve) => setTimeout(resolve, 300));
    const janitor = createJanitor({ store: mysql2(pool), onDelete: { "notes.person_id": "cascade" } });
    const outcome = await janitor
      .run("remove_stale_unverified_accounts", { now: NOW, dryRun: true })
      .catch((e) => e);
    if (isMariadb) assert.equal(outcome.code, "store_locked");
    else assert.deepEqual(outcome.wouldRemove, { hidp_accounts_emailchangerequest: 1, notes: 1, people: 1 });
    await holder.query("ROLLBACK");
    await changed;
  } finally {
    for (const connection of [changing, holder]) connection.release();
    await pool.end();
  }
});

test("is not kept from ending by a table that somebody has locked whole", { timeout: 30_000 }, async () => {
  const pool = createPool(await engine.createDatabase());
  const holder = await pool.getConnection();
  try {
    for (const sql of ACCOUNTS) await pool.query(sql);
    const janitor = createJanitor({ store: mysql2(pool), onDelete: { "notes.person_id": "set-null" } });
    for (const dryRun of [true, false]) {
      await holder.query("LOCK TABLES people WRITE");
      const options = { now: NOW, dryRun, signal: AbortSignal.timeout(200) };
      const report = await janitor.run("remove_stale_unverified_accounts", options);
      assert.deepEqual([report.complete, report.selected, report.removed], [false, 0, {}]);
      await holder.query("UNLOCK TABLES");
    }
  } finally {
    holder.release();
    await pool.end();
  }
});

const ACCOUNTS = [
  "CREATE TABLE people (id int PRIMARY KEY, email_verified datetime(6), date_joined datetime(6) NOT NULL)",
  `CREATE TABLE hidp_accounts_emailchangerequest (id int PRIMARY KEY, user_id int NOT NULL, created_at datetime(6) NOT NULL,
    confirmed_by_current_email bool NOT NULL, confirmed_by_proposed_email bool NOT NULL,
    FOREIGN KEY (user_id) REFERENCES people (id))`,
  "CREATE TABLE notes (id int PRIMARY KEY, person_id int, FOREIGN KEY (person_id) REFERENCES people (id))",
  "INSERT INTO people VALUES (1, NULL, '2020-01-01'), (2, '2020-01-02', '2020-01-01')",
  "INSERT INTO hidp_accounts_emailchangerequest VALUES (1, 1, '2020-01-01', 0, 0), (2, 2, '2020-01-01', 0, 0)",
  "INSERT INTO notes VALUES (1, 1), (2, 2)",
];
