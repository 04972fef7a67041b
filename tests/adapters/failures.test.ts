/** What failures are told as that no test can provoke, by drivers that do nothing but fail. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { JanitorError } from "idp-janitor";
import { mysql2 } from "idp-janitor/adapters/mysql2";
import { pg } from "idp-janitor/adapters/pg";

const failing = (error: unknown) => () => Promise.reject(error);
const silent = { on: () => undefined, removeListener: () => undefined };

async function told(work: Promise<unknown>): Promise<JanitorError> {
  const [outcome] = await Promise.allSettled([work]);
  assert.ok(outcome?.status === "rejected" && outcome.reason instanceof JanitorError);
  return outcome.reason;
}

/** What is told of a statement that fails so on PostgreSQL. */
function onPostgres(error: unknown): Promise<JanitorError> {
  return told(pg({ ...silent, query: failing(error) }).query("SELECT 1", []));
}

/** The same of MySQL, and whether the connection was destroyed. */
async function onMysql(error: unknown): Promise<{ code: string; destroyed: boolean }> {
  const query = failing(error);
  let destroyed = false;
  const destroy = () => {
    destroyed = true;
  };
  const { code } = await told(mysql2({ ...silent, query, destroy }).query("SELECT 1", []));
  return { code, destroyed };
}

const ofServer = (code: string, message = "words") =>
  Object.assign(new Error(message), { code, severity: "ERROR" });

const STATES: Readonly<Record<string, readonly string[]>> = {
  store_constraint: ["23000", "23001", "23502", "23503", "23505", "23514", "23P01"],
  store_conflict: ["40001", "40P01"],
  store_locked: ["55P03"],
  store_timeout: ["57014", "25P04"],
  store_denied: ["42501", "28000", "28P01"],
  store_read_only: ["25006"],
  store_missing: ["3D000", "57P04"],
  store_unavailable: [
    ...["08000", "08003", "08006", "08P01", "57P01", "57P02", "57P03", "57P05", "25P03", "53300", "40003"],
  ],
  store_failed: ["42P01", "22012", "XX000", "53100", "25P02", "2BP01", "40002"],
};

test("PostgreSQL's states have their codes", async () => {
  for (const [code, states] of Object.entries(STATES)) {
    for (const state of states) assert.equal((await onPostgres(ofServer(state))).code, code, state);
  }
  const cancelled = ofServer("57014", "canceling statement due to user request");
  assert.equal((await onPostgres(cancelled)).code, "store_failed");
});

/** What drivers of PostgreSQL and Node say where no server does. */
const WORDS: Readonly<Record<string, readonly (string | { code: string })[]>> = {
  store_unavailable: [
    ...[
      "Query read timeout",
      "Connection terminated",
      "Connection terminated unexpectedly",
      "timeout expired",
    ],
    ...["timeout exceeded when trying to connect", "Connection terminated due to connection timeout"],
    ...["Client has encountered a connection error and is not queryable"],
    ...["Cannot use a pool after calling end on the pool", "The server does not support SSL connections"],
    ...["CONNECTION_CLOSED", "CONNECTION_ENDED", "CONNECTION_DESTROYED", "CONNECT_TIMEOUT"].map((code) => ({
      code,
    })),
    ...["ECONNREFUSED", "ECONNRESET", "EPIPE", "ENOTFOUND", "ETIMEDOUT", "EAI_AGAIN"].map((code) => ({
      code,
    })),
  ],
  store_failed: ["what nobody has thought of"],
};

test("what is no server's of PostgreSQL has its code", async () => {
  for (const [code, all] of Object.entries(WORDS)) {
    for (const words of all) {
      const error = typeof words === "string" ? new Error(words) : Object.assign(new Error("words"), words);
      assert.equal((await onPostgres(error)).code, code, JSON.stringify(words));
    }
  }
});

test("the words are the server's, on one line, and the error is the cause", async () => {
  const error = ofServer("23503", 'update violates "a key"\n  DETAIL: more');
  const { message, cause } = await onPostgres(error);
  assert.equal(
    message,
    'the database refused the change by a constraint (update violates "a key" DETAIL: more)',
  );
  assert.equal(cause, error);
  const tried = ["::1", "127.0.0.1"].map((address) => new Error(`connect ECONNREFUSED ${address}:5432`));
  const all = Object.assign(new AggregateError(tried), { code: "ECONNREFUSED" });
  assert.match((await onPostgres(all)).message, /\(connect ECONNREFUSED ::1:5432, connect ECONNREFUSED 127/);
});

const NUMBERS: Readonly<Record<string, readonly number[]>> = {
  store_constraint: [1451, 1452, 1048, 1062, 3819, 4025, 1216, 1217],
  store_conflict: [1213, 1020],
  store_locked: [1205, 3572],
  store_timeout: [3024, 1969],
  store_denied: [1044, 1045, 1142, 1143, 1227, 1370],
  store_read_only: [1290, 1792, 1836],
  store_missing: [1049],
  store_unavailable: [1040, 1053, 2006, 2013, 1927, 1203, 4031],
  store_failed: [1064, 1146, 1054, 1317],
};

test("MySQL's numbers have their codes, and a connection is destroyed that may be broken", async () => {
  for (const [code, numbers] of Object.entries(NUMBERS)) {
    for (const errno of numbers) {
      const told = await onMysql(Object.assign(new Error("words"), { errno, sqlState: "HY000" }));
      assert.equal(told.code, code, String(errno));
      assert.equal(told.destroyed, code === "store_unavailable", String(errno));
    }
  }
  for (const error of [
    Object.assign(new Error("Connection lost: The server closed the connection."), {
      code: "PROTOCOL_CONNECTION_LOST",
      fatal: true,
    }),
    new Error("Can't add new command when connection is in closed state"),
    Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET", errno: -104, fatal: true }),
    new Error("Pool is closed."),
    new Error("No connections available."),
    new Error("Queue limit reached."),
  ]) {
    const told = await onMysql(error);
    assert.deepEqual([told.code, told.destroyed], ["store_unavailable", true], error.message);
  }
});

test("a session of mysql2 answers what is under way when it is closed, if the server never does", async () => {
  let destroyed = 0;
  const connection = {
    ...silent,
    query: () => new Promise<never>(() => undefined),
    release: assert.fail,
    destroy: () => {
      destroyed += 1;
    },
  };
  const pool = { config: { connectionLimit: 2 } };
  const session = await mysql2({ pool, getConnection: async () => connection }).session?.();
  assert.ok(session);
  const refused = assert.rejects(session.query("SELECT 1", []), { code: "store_unavailable" });
  await session.close();
  await refused;
  await session.close();
  assert.equal(destroyed, 1);
});
