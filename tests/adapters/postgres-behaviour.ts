// What PostgreSQL itself promises and the adapters rely on, and what its failures are told as, whatever the driver.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Engine } from "../support/engines.ts";
import { type Connect, connectWitness, withSetting } from "./postgres-harness.ts";

const plain = (sql: string) => ({ sql, params: [] });

export function testBehaviour(name: string, engine: () => Engine, connect: Connect): void {
  const open = async (context: TestContext) => {
    const url = await engine().createDatabase();
    const { store, end } = await connect(url);
    const witness = await connectWitness(url);
    context.after(async () => {
      await end();
      await witness.end();
    });
    await witness.execute("CREATE TABLE things (id bigint PRIMARY KEY)");
    return { url, store, witness };
  };

  /** A call on a database that is reached by another url. */
  const fails = async (context: TestContext, url: string, code: string) => {
    const { store, end } = await connect(url).catch((error: unknown) => {
      throw new Error("connecting is the store's", { cause: error });
    });
    context.after(end);
    for (const call of [() => store.query("SELECT 1", []), () => store.batch([plain("SELECT 1")])]) {
      await assert.rejects(call(), (error: Error & { code: string }) => {
        assert.equal(error.code, code, error.message);
        assert.ok(error.cause !== undefined);
        assert.doesNotMatch(error.message, /\n|wrong-password|secret|:\/\//);
        return true;
      });
    }
    if (store.session) await assert.rejects(store.session(), { code });
  };

  test(`${name} takes plain statements for one transaction, in which SET LOCAL holds`, async (context) => {
    const { store } = await open(context);
    const results = await store.batch([
      plain("SET LOCAL lock_timeout = 123"),
      plain("SELECT current_setting('lock_timeout'), pg_current_xact_id()::text"),
      plain("INSERT INTO things VALUES (1)"),
      plain("SELECT pg_current_xact_id()::text"),
      plain("SET CONSTRAINTS ALL IMMEDIATE"),
    ]);
    assert.equal(results.length, 5);
    assert.deepEqual(results[1]?.rows, [["123ms", results[3]?.rows[0]?.[0]]]);
    const after = Array.from({ length: 8 }, () => store.query("SELECT current_setting('lock_timeout')", []));
    for (const { rows } of await Promise.all(after)) assert.deepEqual(rows, [["0"]]);
  });

  test(`${name} leaves no transaction open, however a batch fails`, async (context) => {
    const { store, witness } = await open(context);
    await witness.execute(
      "CREATE TABLE parts (thing bigint REFERENCES things (id) DEFERRABLE INITIALLY DEFERRED)",
    );
    const insert = plain("INSERT INTO things VALUES (1)");
    const bound = { sql: "INSERT INTO things VALUES ($1)", params: ["2"] };
    const orphan = plain("INSERT INTO parts VALUES (99)");
    for (const batch of [
      [insert, insert],
      [insert, plain("SELECT 1/0"), insert],
      [insert, orphan],
      [bound, insert, insert],
      [bound, orphan],
      [bound, plain("this is no SQL")],
      [orphan],
    ]) {
      await assert.rejects(store.batch(batch));
      const open =
        "SELECT query FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND datname = ";
      assert.deepEqual(await witness.read(`${open} current_database()`), []);
    }
    assert.deepEqual(await witness.read("SELECT count(*) FROM things"), [["0"]]);
    await store.batch([insert, bound]);
    assert.deepEqual(await witness.read("SELECT count(*) FROM things"), [["2"]]);
  });

  test(`${name} keeps a byte order mark`, async (context) => {
    const { store } = await open(context);
    const text = "\ufeffmarked\ufeff";
    assert.deepEqual((await store.query("SELECT $1", [text])).rows, [[text]]);
    assert.deepEqual((await store.batch([plain(`SELECT '${text}'`)]))[0]?.rows, [[text]]);
  });

  test(`${name} tells what took too long from what somebody cancelled`, async (context) => {
    const { store, witness } = await open(context);
    const slow = [plain("SET LOCAL statement_timeout = 100"), plain("SELECT pg_sleep(10)")];
    await assert.rejects(store.batch(slow), { code: "store_timeout" });
    const cancelled = assert.rejects(store.query("SELECT pg_sleep(11)", []), { code: "store_failed" });
    const cancel = `SELECT pg_cancel_backend(pid) FROM pg_stat_activity
      WHERE query LIKE '%pg_sleep(11)%' AND application_name <> 'witness'`;
    while ((await witness.read(cancel)).length === 0);
    await cancelled;
    assert.deepEqual((await store.query("SELECT 1", [])).rows, [[1]]);
  });

  test(`${name} says that a transaction could not be serialised`, async (context) => {
    const { store, witness } = await open(context);
    await witness.execute("INSERT INTO things VALUES (1)");
    const batch = store.batch([
      plain("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"),
      plain("SELECT count(*) FROM things"),
      plain("SELECT pg_sleep(0.5)"),
      plain("UPDATE things SET id = 2"),
    ]);
    const conflict = assert.rejects(batch, { code: "store_conflict" });
    await new Promise((resolve) => setTimeout(resolve, 200));
    await witness.execute("UPDATE things SET id = 3");
    await conflict;
  });

  test(`${name} works again after the server has crashed`, async (context) => {
    const url = await engine().createDatabase();
    const { store, end } = await connect(url);
    context.after(end);
    await Promise.all(Array.from({ length: 3 }, () => store.query("SELECT 1", [])));
    const lost = assert.rejects(store.query("SELECT pg_sleep(30)", []), { code: "store_unavailable" });
    await new Promise((resolve) => setTimeout(resolve, 200));
    await engine().restart();
    await lost;
    assert.deepEqual((await store.query("SELECT 1", [])).rows, [[1]]);
    assert.deepEqual(await store.batch([plain("SELECT 1")]), [{ rows: [[1]], changes: 0 }]);
  });

  test(`${name} says that the role may not come in`, async (context) => {
    const url = new URL(await engine().createDatabase());
    url.password = "wrong-password";
    await fails(context, url.href, "store_denied");
  });

  test(`${name} says that there is no such database`, (context) =>
    fails(context, engine().url("nowhere"), "store_missing"));

  test(`${name} says that nothing listens`, (context) =>
    fails(context, engine().url("nowhere").replace(`:${engine().port}/`, ":1/"), "store_unavailable"));

  test(`${name} says that the server takes no more connections`, async (context) => {
    const url = await engine().createDatabase();
    const admin = await connectWitness(engine().adminUrl("postgres"));
    context.after(admin.end);
    await admin.execute(`ALTER DATABASE "${new URL(url).pathname.slice(1)}" CONNECTION LIMIT 0`);
    await fails(context, url, "store_unavailable");
  });

  test(`${name} gives text of a connection that writes dates in another style as it is`, async (context) => {
    const { url } = await open(context);
    const { store, end } = await connect(withSetting(url, "datestyle", "German"));
    context.after(end);
    const { rows } = await store.query(
      "SELECT '2026-01-02 03:04:05.000006+00'::timestamptz AT TIME ZONE 'UTC'",
      [],
    );
    assert.deepEqual(rows, [["02.01.2026 03:04:05.000006"]]);
  });
}
