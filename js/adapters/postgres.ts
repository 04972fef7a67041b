/** Adapter for PostgreSQL through postgres.js, the npm package `postgres`. */

import { JanitorError } from "../errors.ts";
import type { SqlSession, SqlStore, SqlValue } from "../store.ts";
import { isPlain, READ_ONLY, refuseReadOnly, UNLOCK } from "./postgres-batch.ts";
import { isLost, toJanitorError } from "./postgres-errors.ts";
import {
  marked,
  type PostgresJs,
  type PostgresJsQueries,
  resultOf,
  rowsOf,
  send,
  sendAnywhere,
  transact,
  unmarked,
} from "./postgres-js.ts";
import type { PostgresOptions } from "./postgres-options.ts";
import { farewell, oneAtATime } from "./turns.ts";

export type { PostgresJs, PostgresJsQueries } from "./postgres-js.ts";
export type { PostgresOptions } from "./postgres-options.ts";

/**
 * A store on an instance of postgres.js, which stays yours to end. Best make one for idp-janitor alone: what others send in the
 * moment in which a connection breaks, the driver may answer with what belongs to somebody else. An instance of one connection
 * (`max: 1`) has no session, for nothing could run beside it; a row is the lease of a job then. A session is a transaction that
 * stays open, reading nothing.
 *
 * @throws JanitorError `invalid_setting` for an instance with `transform.row.from`, which changes rows as they are read
 */
export function postgresJs(sql: PostgresJs, options: PostgresOptions = {}): SqlStore {
  const { max, transform } = sql.options;
  const keepsSession = (options.session ?? true) && max > 1;
  if (transform.row.from) {
    const message =
      "`transform.row.from` changes rows as they are read: give idp-janitor an instance without";
    throw new JanitorError("invalid_setting", message);
  }

  return {
    dialect: "postgres",
    maxConcurrency: keepsSession ? max - 1 : max,

    query: (text, params) =>
      known(async () => {
        const [result] = await sendAnywhere(sql, text, params);
        return { rows: rowsOf(result) };
      }),

    batch: (statements) =>
      known(async () => {
        if (statements.length === 0) {
          const [result] = await sendAnywhere(sql, READ_ONLY);
          refuseReadOnly(rowsOf(result));
          return [];
        }
        if (isPlain(statements)) {
          return unmarked(await sendAnywhere(sql, marked(statements)), statements.length);
        }
        return transact(sql, async (transaction) => {
          const results = [];
          for (const { sql: text, params } of statements) {
            results.push(resultOf(await send(transaction, text, params)));
          }
          return results;
        });
      }),

    rowLease: !keepsSession && (options.rowLease ?? true),
    ...(keepsSession ? { session: () => known(() => openSession(sql)) } : {}),
  };
}

async function known<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toJanitorError(error);
  }
}

/** A session may idle for as long as its run takes. `transaction_timeout` is there since PostgreSQL 17. */
const NO_TIMEOUTS = `SELECT set_config(name, '0', true) FROM pg_settings
  WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')`;

/**
 * Keeps a connection by keeping a transaction open on it, which holds no snapshot between its statements: that is the one way
 * in which the driver tells that a connection is gone. What is sent on one that is gone ends the process, or up on somebody
 * else's connection.
 */
function openSession(sql: PostgresJs): Promise<SqlSession> {
  return new Promise((open, refuse) => {
    const ended = transact(sql, async (transaction) => {
      // At any other level it would hold one, and with it whatever the server could clean up.
      await send(transaction, "SET TRANSACTION ISOLATION LEVEL READ COMMITTED");
      await send(transaction, NO_TIMEOUTS);
      await new Promise<void>((end) => open(sessionOn(transaction, ended, end)));
    });
    ended.catch(refuse);
  });
}

function sessionOn(transaction: PostgresJsQueries, ended: Promise<void>, end: () => void): SqlSession {
  const oneByOne = oneAtATime();
  let state: "open" | "closing" | "ended" = "open";
  const gone = ended.then(
    () => Promise.reject(new JanitorError("store_unavailable", "the session is closed")),
    (error: unknown) => Promise.reject(error),
  );
  gone.catch(() => {
    state = "ended";
  });

  /** Nothing is sent on a connection that is gone by the time that it is its turn. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> =>
    oneByOne(async () => {
      if (state === "ended") return gone;
      try {
        return await Promise.race([gone, work()]);
      } catch (error) {
        // The next one's turn comes before the transaction is told.
        if (isLost(error)) state = "ended";
        throw error;
      }
    });

  const leave = async () => {
    try {
      await inTurn(() => send(transaction, UNLOCK));
    } finally {
      // A connection that is gone must not be told that the transaction is over.
      if (state !== "ended") end();
    }
    await ended;
  };

  return {
    query: (sql, params) =>
      known(() => (state === "open" ? inTurn(() => select(transaction, sql, params)) : gone)),

    async close() {
      if (state !== "open") return;
      state = "closing";
      await farewell(leave);
    },
  };
}

/** A statement that fails must not take the transaction with it. */
async function select(transaction: PostgresJsQueries, sql: string, params: readonly SqlValue[]) {
  await send(transaction, "SAVEPOINT idp_janitor");
  try {
    const [result] = await send(transaction, sql, params);
    await send(transaction, "RELEASE SAVEPOINT idp_janitor");
    return { rows: rowsOf(result) };
  } catch (error) {
    if (!isLost(error)) {
      await send(transaction, "ROLLBACK TO SAVEPOINT idp_janitor; RELEASE SAVEPOINT idp_janitor");
    }
    throw error;
  }
}
