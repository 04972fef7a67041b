/** The adapter on mysql2, by the conformance suite on a real MariaDB, over pools and over a connection. */

import assert from "node:assert/strict";
import { after, before, type TestContext, test } from "node:test";
import { createConnection, createPool, type PoolOptions } from "mysql2/promise";
import "idp-janitor";
import { mysql2 } from "idp-janitor/adapters/mysql2";
import { sqlStoreCases } from "idp-janitor/testing";
import type { Engine } from "../support/engines.ts";
import { startMariadb } from "../support/mariadb.ts";
import { type Connect, connectAdmin, mysqlHarness } from "./mysql-harness.ts";
import { testResets } from "./resets.ts";

let engine: Engine;
before(async () => {
  engine = await startMariadb();
});
after(() => engine.close());

const pooling =
  (options: PoolOptions): Connect =>
  async (uri) => {
    const pool = createPool({ uri, connectionLimit: 4, ...options });
    return { store: mysql2(pool), end: () => pool.end() };
  };

/** Whatever changes what a connection makes of values, and of text. */
const STRANGE: PoolOptions = {
  timezone: "+05:30",
  dateStrings: false,
  decimalNumbers: true,
  bigNumberStrings: false,
  supportBigNumbers: false,
  nestTables: true,
  rowsAsArray: false,
  namedPlaceholders: true,
  multipleStatements: true,
  typeCast: () => "the application's own",
};

/** In these modes, a backslash is one, and double quotes are for names. */
const connectStrangely: Connect = async (uri) => {
  const pool = createPool({ uri, connectionLimit: 4, ...STRANGE });
  pool.on("connection", (connection) => {
    connection.query("SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES', time_zone = '-07:00'");
  });
  return { store: mysql2(pool), end: () => pool.end() };
};

const connectOne: Connect = async (uri) => {
  const connection = await createConnection(uri);
  connection.on("error", () => undefined);
  return { store: mysql2(connection), end: () => connection.end() };
};

for (const { name, run } of sqlStoreCases(mysqlHarness(() => engine, pooling({}))))
  test(`a pool of mysql2 ${name}`, run);
for (const { name, run } of sqlStoreCases(mysqlHarness(() => engine, connectStrangely))) {
  test(`a pool of mysql2 with settings of its own ${name}`, run);
}
for (const { name, run } of sqlStoreCases(
  mysqlHarness(() => engine, connectOne, { isOneConnection: true }),
)) {
  test(`a connection of mysql2 ${name}`, run);
}

testResets("a pool of mysql2", {
  connect: pooling({}),
  url: () => engine.createDatabase(),
  sleep: "SELECT SLEEP(20)",
  parameter: "?",
});

const plain = (sql: string) => ({ sql, params: [] });
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function open(context: TestContext, { connectionLimit = 4 } = {}) {
  const url = await engine.createDatabase();
  const pool = createPool({ uri: url, connectionLimit });
  const witness = await connectAdmin(engine, new URL(url).pathname.slice(1));
  context.after(async () => {
    await pool.end();
    await witness.connection.end();
  });
  await witness.execute("CREATE TABLE things (id bigint PRIMARY KEY)");
  return { url, pool, witness, store: mysql2(pool) };
}

test("mysql2 reads in a batch what is committed", async (context) => {
  const { store, witness } = await open(context);
  const count = plain("SELECT count(*) FROM things");
  const batch = store.batch([count, plain("SELECT SLEEP(0.5)"), count]);
  await pause(200);
  await witness.execute("INSERT INTO things VALUES (1)");
  const results = await batch;
  assert.deepEqual([results[0]?.rows, results[2]?.rows], [[[0]], [[1]]]);
});

test("mysql2 keeps a batch on one connection, where temporary tables are", async (context) => {
  const { store, witness } = await open(context);
  await witness.execute("INSERT INTO things VALUES (1), (2), (3)");
  const results = await store.batch([
    plain(
      "CREATE TEMPORARY TABLE doomed (PRIMARY KEY (id)) SELECT id FROM things WHERE id < 3 FOR UPDATE SKIP LOCKED",
    ),
    plain("DELETE things FROM things JOIN doomed ON doomed.id = things.id"),
    plain("DROP TEMPORARY TABLE doomed"),
  ]);
  assert.deepEqual(
    results.map(({ changes }) => changes),
    [2, 2, 0],
  );
  assert.deepEqual(await witness.read("SELECT id FROM things"), [["3"]]);
});

test("mysql2 waits for locks no longer than it is told, and leaves no setting behind", async (context) => {
  const { pool, witness } = await open(context, { connectionLimit: 1 });
  const waits = () =>
    pool.query("SELECT @@innodb_lock_wait_timeout AS row_wait, @@lock_wait_timeout AS table_wait");
  await pool.query("SET SESSION innodb_lock_wait_timeout = 77, SESSION lock_wait_timeout = 99");
  const meanwhile = plain("SELECT @@innodb_lock_wait_timeout, @@lock_wait_timeout");
  for (const lockWaitSeconds of [1, 2]) {
    const store = mysql2(pool, { lockWaitSeconds });
    assert.deepEqual((await store.batch([meanwhile]))[0]?.rows, [[lockWaitSeconds, lockWaitSeconds]]);
    await assert.rejects(store.batch([plain("SELECT nothing")]));
    await assert.rejects(store.batch([plain("INSERT INTO things VALUES (1), (1)")]));
    await witness.execute("LOCK TABLES things WRITE");
    const began = performance.now();
    await assert.rejects(store.batch([plain("INSERT INTO things VALUES (1)")]), { code: "store_locked" });
    const waited = performance.now() - began;
    await assert.rejects(store.query("SELECT count(*) FROM things", []), { code: "store_locked" });
    await witness.execute("UNLOCK TABLES");
    assert.ok(waited > 900 * lockWaitSeconds && waited < 1900 * lockWaitSeconds, `${waited} ms`);
    const [[row]] = (await waits()) as unknown as [[object]];
    assert.deepEqual({ ...row }, { row_wait: 77, table_wait: 99 });
  }
  for (const lockWaitSeconds of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 31_536_001]) {
    assert.throws(() => mysql2(pool, { lockWaitSeconds }), {
      code: "invalid_setting",
      message: /lockWaitSeconds/,
    });
  }
});

test("mysql2 leaves a transaction of somebody else on a connection alone", async (context) => {
  const { url, witness } = await open(context);
  const connection = await createConnection(url);
  context.after(() => connection.end());
  const store = mysql2(connection);
  await connection.query("START TRANSACTION");
  await connection.query("INSERT INTO things VALUES (77)");
  const bound = { sql: "INSERT INTO things VALUES (?)", params: ["79"] };
  for (const batch of [[plain("INSERT INTO things VALUES (78)")], [bound], []]) {
    await assert.rejects(store.batch(batch), { code: "store_failed", message: /a connection of its own/ });
  }
  assert.deepEqual(await witness.read("SELECT id FROM things"), []);
  await connection.query("COMMIT");
  await store.batch([bound]);
  assert.deepEqual(await witness.read("SELECT id FROM things"), [["77"], ["79"]]);
});

test("mysql2 says that `autocommit` is off", async (context) => {
  const { url, witness } = await open(context);
  const connection = await createConnection(url);
  context.after(() => connection.end());
  await connection.query("SET autocommit = 0");
  const store = mysql2(connection);
  await store.query("SELECT count(*) FROM things", []);
  for (const batch of [[plain("INSERT INTO things VALUES (78)")], []]) {
    await assert.rejects(store.batch(batch), { code: "store_failed", message: /`autocommit` is off/ });
  }
  assert.deepEqual(await witness.read("SELECT id FROM things"), []);
  await connection.query("SET autocommit = 1");
  await store.batch([plain("INSERT INTO things VALUES (79)")]);
  assert.deepEqual(await witness.read("SELECT id FROM things"), [["79"]]);
});

test("mysql2 lets a role write to a read-only server that may", async (context) => {
  const { url, witness } = await open(context);
  const admin = createPool(engine.adminUrl(new URL(url).pathname.slice(1)));
  context.after(() => admin.end());
  await witness.execute("SET GLOBAL read_only = ON");
  try {
    assert.deepEqual(await mysql2(admin).batch([]), []);
    await mysql2(admin).batch([plain("INSERT INTO things VALUES (1)")]);
  } finally {
    await witness.execute("SET GLOBAL read_only = OFF");
  }
});

test("mysql2 says that transactions are read-only", async (context) => {
  const { url } = await open(context);
  const connection = await createConnection(url);
  context.after(() => connection.end());
  await connection.query("SET SESSION TRANSACTION READ ONLY");
  const store = mysql2(connection);
  await assert.rejects(store.batch([]), { code: "store_read_only" });
  await assert.rejects(store.batch([plain("INSERT INTO things VALUES (1)")]), { code: "store_read_only" });
  await connection.query("SET SESSION TRANSACTION READ WRITE");
  assert.deepEqual(await store.batch([]), []);
});

test("mysql2 says that a statement took too long", async (context) => {
  const { store, witness } = await open(context);
  const ids = Array.from({ length: 1000 }, (_, at) => `(${at})`);
  await witness.execute(`INSERT INTO things VALUES ${ids.join(", ")}`);
  const slow = "SELECT sum(a.id * b.id + c.id) FROM things AS a, things AS b, things AS c";
  const limited = `SET STATEMENT max_statement_time = 0.1 FOR ${slow}`;
  await assert.rejects(store.query(limited, []), { code: "store_timeout" });
  await assert.rejects(store.batch([plain(limited)]), { code: "store_timeout" });
  assert.deepEqual((await store.query("SELECT 1", [])).rows, [[1]]);
});

test("mysql2 leaves nothing open, however a batch fails", async (context) => {
  const { pool, store, witness } = await open(context, { connectionLimit: 2 });
  const insert = plain("INSERT INTO things VALUES (1)");
  const bound = { sql: "INSERT INTO things VALUES (?)", params: ["2"] };
  for (const batch of [
    [insert, insert],
    [insert, plain("this is no SQL")],
    [bound, insert, insert],
  ]) {
    await assert.rejects(store.batch(batch));
    assert.deepEqual(await witness.read("SELECT trx_id FROM information_schema.INNODB_TRX"), []);
  }
  await store.batch([insert, bound]);
  assert.deepEqual(await witness.read("SELECT count(*) FROM things"), [["2"]]);
  // A connection whose statement failed stays in the pool.
  const ids = async () => (await store.query("SELECT CONNECTION_ID()", [])).rows;
  const before = await ids();
  await assert.rejects(store.query("SELECT nothing", []));
  assert.deepEqual(await ids(), before);
  await pool.query("SELECT 1");
});

test("mysql2 leaves nothing behind on a connection", async (context) => {
  const { url } = await open(context);
  const connection = await createConnection(url);
  context.after(() => connection.end());
  const rows = async (sql: string) => ((await connection.query({ sql, rowsAsArray: true })) as unknown[])[0];
  const store = mysql2(connection);
  const drop = "DROP TEMPORARY TABLE IF EXISTS doomed, found";
  const made = ["CREATE TEMPORARY TABLE doomed (id bigint)", "CREATE TEMPORARY TABLE found (id bigint)"];
  await assert.rejects(store.batch([drop, ...made, "SELECT nothing", drop].map(plain)));
  for (const table of ["doomed", "found"])
    await assert.rejects(rows(`SELECT * FROM ${table}`), /doesn't exist/);
  assert.deepEqual(await rows("SELECT @idp_janitor_rows, @idp_janitor_tables"), [[null, null]]);
});

test("mysql2 leaves the isolation of the next transaction alone where it may not write", async (context) => {
  const { url, witness } = await open(context);
  const connection = await createConnection(url);
  context.after(() => connection.end());
  const store = mysql2(connection);
  const counts = async () =>
    String(((await connection.query("SELECT * FROM things")) as unknown[][])[0]?.length);
  const assertRepeats = async (id: number) => {
    await connection.query("START TRANSACTION");
    const first = await counts();
    await witness.execute(`INSERT INTO things VALUES (${id})`);
    assert.equal(await counts(), first);
    await connection.query("COMMIT");
  };
  await connection.query("SET SESSION TRANSACTION READ ONLY");
  await assert.rejects(store.batch([]), { code: "store_read_only" });
  await assertRepeats(1);
  await connection.query("SET SESSION TRANSACTION READ WRITE");
  await witness.execute("SET GLOBAL read_only = ON");
  try {
    await assert.rejects(store.batch([]), { code: "store_read_only" });
  } finally {
    await witness.execute("SET GLOBAL read_only = OFF");
  }
  await assertRepeats(2);
});

test("mysql2 ends its transactions whatever the session says that an end is", async (context) => {
  const { url, witness } = await open(context);
  for (const completion of ["CHAIN", "RELEASE"]) {
    const connection = await createConnection(url);
    context.after(() => connection.end());
    await connection.query(`SET SESSION completion_type = '${completion}'`);
    const store = mysql2(connection);
    await store.batch([]);
    await store.batch([plain("DELETE FROM things"), plain("INSERT INTO things VALUES (1)")]);
    await assert.rejects(store.batch([plain("INSERT INTO things VALUES (2)"), plain("SELECT nothing")]));
    await store.batch([plain("INSERT INTO things VALUES (3)")]);
    assert.deepEqual(await witness.read("SELECT trx_id FROM information_schema.INNODB_TRX"), []);
    assert.deepEqual(await witness.read("SELECT id FROM things ORDER BY id"), [["1"], ["3"]]);
  }
});

test("mysql2 lets a lost connection go, and no event of it ends the process", async (context) => {
  const { url, store, witness } = await open(context, { connectionLimit: 2 });
  const session = await store.session?.();
  const told = await session?.query("SELECT CONNECTION_ID()", []);
  await witness.execute(`KILL ${told?.rows[0]?.[0]}`);
  await pause(200);
  const query = session?.query("SELECT 1", []);
  await assert.rejects(Promise.resolve(query), { code: "store_unavailable" });
  await session?.close();
  for (let at = 0; at < 3; at += 1) await (await store.session?.())?.close();
  const connection = await createConnection(url);
  const alone = await mysql2(connection).session?.();
  assert.equal(connection.listenerCount("error"), 1);
  await witness.execute(`KILL ${connection.threadId}`);
  await pause(200);
  const later = alone?.query("SELECT 1", []);
  await assert.rejects(Promise.resolve(later), { code: "store_unavailable" });
  await alone?.close();
  assert.equal(connection.listenerCount("error"), 0);
  assert.deepEqual((await store.query("SELECT 1", [])).rows, [[1]]);
});

test("mysql2 works again after the server has crashed", async (context) => {
  const { store } = await open(context);
  const lost = assert.rejects(store.query("SELECT SLEEP(30)", []), { code: "store_unavailable" });
  await pause(200);
  await engine.restart();
  await lost;
  assert.deepEqual((await store.query("SELECT 1", [])).rows, [[1]]);
  assert.deepEqual(await store.batch([plain("SELECT 1")]), [{ rows: [[1]], changes: 0 }]);
});

test("mysql2 says why it cannot connect, and never with what", async (context) => {
  const { url } = await open(context);
  const wrong = new URL(url);
  wrong.password = "wrong-password";
  for (const [uri, code] of [
    [wrong.href, "store_denied"],
    [engine.url("nowhere"), "store_denied"],
    [engine.adminUrl("nowhere"), "store_missing"],
    [engine.url("nowhere").replace(`:${engine.port}/`, ":1/"), "store_unavailable"],
  ] as const) {
    const pool = createPool(uri);
    context.after(() => pool.end());
    const store = mysql2(pool);
    for (const call of [() => store.query("SELECT 1", []), () => store.batch([]), () => store.session?.()]) {
      await assert.rejects(Promise.resolve(call()), (error: Error & { code: string }) => {
        assert.equal(error.code, code, error.message);
        assert.ok(error.cause !== undefined);
        assert.doesNotMatch(error.message, /\n|wrong-password|secret|:\/\//);
        return true;
      });
    }
  }
});

test("mysql2 puts parameters where they belong, and nowhere else", async (context) => {
  const { store } = await open(context);
  const sql = `SELECT '?', 'it''s ?', ? AS \`?\`, /* ? */ ? -- ?
    , ?, ?, ? # ?`;
  const { rows } = await store.query(sql, ["'; --\\", -5, 0.1, 1e-300, -9007199254740993n]);
  assert.deepEqual(rows, [["?", "it's ?", "'; --\\", -5, 0.1, 1e-300, -9007199254740993n]]);
  for (const [text, params] of [
    ["SELECT ?", ["a", "b"]],
    ["SELECT ?, ?", ["a"]],
    ["SELECT '\\', ?", ["a"]],
    ["SELECT ?", [Number.NaN]],
  ] as const) {
    await assert.rejects(store.query(text, params), { code: "internal" }, text);
    await assert.rejects(store.batch([{ sql: text, params }]), { code: "internal" }, text);
  }
});

test("mysql2 counts on the connections that a pool has", async () => {
  const told = [{}, { connectionLimit: 5 }, { connectionLimit: 1 }].map((options) => {
    const { maxConcurrency, session } = mysql2(createPool(options));
    return [maxConcurrency, session !== undefined];
  });
  assert.deepEqual(told, [
    [9, true],
    [4, true],
    [1, false],
  ]);
  const pooled = mysql2(createPool({ connectionLimit: 5 }), { session: false });
  assert.deepEqual([pooled.maxConcurrency, pooled.session], [5, undefined]);
});
