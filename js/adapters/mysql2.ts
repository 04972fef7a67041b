/** Adapter for MySQL and MariaDB through the npm package `mysql2`, its promises (`mysql2/promise`). */

import { JanitorError } from "../errors.ts";
import type { SqlSession, SqlStore, SqlValue, Statement, StatementResult } from "../store.ts";
import { notAlone } from "./failure.ts";
import { endsConnection, isInTransaction, toJanitorError } from "./mysql-errors.ts";
import { filled, type Mysql2Field, READING } from "./mysql-values.ts";
import { farewell, oneAtATime } from "./turns.ts";

/** One query as the driver takes it. */
export interface Mysql2Query {
  /** One statement, its parameters written into it. */
  readonly sql: string;
  /** Rows as arrays in the order of their columns. */
  readonly rowsAsArray: true;
  /** Whatever the connection says: no rows by table. */
  readonly nestTables: false;
  /** Numbers beyond 2^53 are not rounded. */
  readonly supportBigNumbers: true;
  /** Whatever of `BIGINT` and `DECIMAL` is read as a number comes as text. */
  readonly bigNumberStrings: true;
  /** Instants come as text, in which no microsecond is lost. */
  readonly dateStrings: true;
  /** Reads a value. */
  typeCast(field: Mysql2Field, next: () => unknown): unknown;
}

/** What is asked of a connection: those of `mysql2/promise` have it. */
export interface Mysql2Connection {
  /** Runs a query; its rows, or what it changed, come first. */
  query(query: Mysql2Query): Promise<[unknown, ...unknown[]]>;
  /** Listens to the loss of the connection. */
  on(event: "error", listener: (error: Error) => void): unknown;
  /** Listens no more. */
  removeListener(event: "error", listener: (error: Error) => void): unknown;
  /** Ends the connection at once. */
  destroy(): void;
}

/** A connection that belongs to a pool. */
export interface Mysql2PoolConnection extends Mysql2Connection {
  /** Gives it back to the pool. */
  release(): void;
}

/** What is asked of a pool: those of `mysql2/promise` have it. */
export interface Mysql2Pool {
  /** `connectionLimit`: the most connections that it has; 10 if absent. */
  readonly pool: { readonly config: { readonly connectionLimit?: number | undefined } };
  /** Takes a connection out of it. */
  getConnection(): Promise<Mysql2PoolConnection>;
}

/** How a store waits, and uses its connections. */
export interface Mysql2Options {
  /** How long a statement waits for a lock of somebody else, in whole seconds from 1. Default 1. */
  readonly lockWaitSeconds?: number;
  /**
   * Whether a connection can be kept for what lives as long as it does, such as the lock that keeps runs of a job apart.
   * Where it is false, no row takes the place of the lock on MySQL, so that nothing keeps runs of a job apart, and each of them
   * warns of it. What gives each transaction another connection of the server is not supported all the same: a batch sets up
   * its connection before it begins its transaction. Default true.
   */
  readonly session?: boolean;
}

/** How many connections a pool has at most unless it is told. */
const POOL_LIMIT = 10;

/**
 * A store on a pool, or on a connection that serves one call at a time. Either stays yours to end; a connection that was
 * left in a state that nobody knows is destroyed. A pool of one connection has no session, for nothing could run beside it.
 *
 * A `datetime` is what it is; a `timestamp` comes in the time zone of the connection.
 *
 * @throws JanitorError `invalid_setting` for a wait that cannot be, and for a pool of `mysql2` itself
 */
export function mysql2(database: Mysql2Pool | Mysql2Connection, options: Mysql2Options = {}): SqlStore {
  const { lockWaitSeconds = 1, session = true } = options;
  // The server's own bounds.
  if (!Number.isInteger(lockWaitSeconds) || lockWaitSeconds < 1 || lockWaitSeconds > 31_536_000) {
    const message = `\`lockWaitSeconds\` is ${lockWaitSeconds}, and must be a whole number from 1 to 31,536,000`;
    throw new JanitorError("invalid_setting", message);
  }
  if ("getConnection" in database && !("pool" in database)) {
    const message = "this is no pool of `mysql2/promise`: those of `mysql2` itself have `promise()` for one";
    throw new JanitorError("invalid_setting", message);
  }
  return "getConnection" in database
    ? overPool(database, lockWaitSeconds, session)
    : overConnection(database, lockWaitSeconds, session);
}

function overPool(pool: Mysql2Pool, lockWaitSeconds: number, wantsSession: boolean): SqlStore {
  const max = pool.pool.config.connectionLimit || POOL_LIMIT;
  const keepsSession = wantsSession && max > 1;

  const take = async () => {
    try {
      const connection = await pool.getConnection();
      return { connection, unwatch: watch(connection) };
    } catch (error) {
      throw toJanitorError(error);
    }
  };

  const withConnection = async <T>(work: (connection: Mysql2Connection) => Promise<T>): Promise<T> => {
    const { connection, unwatch } = await take();
    try {
      return await known(connection, () => work(connection));
    } finally {
      // One that was destroyed has left the pool, and is not taken back.
      connection.release();
      unwatch();
    }
  };

  return {
    dialect: "mysql",
    maxConcurrency: keepsSession ? max - 1 : max,
    query: (sql, params) =>
      withConnection((connection) => select(connection, { sql, params }, wantsSession && lockWaitSeconds)),
    batch: (statements) =>
      withConnection((connection) =>
        waitingFor(connection, lockWaitSeconds, () => transact(connection, statements)),
      ),
    ...(keepsSession
      ? {
          session: async () => {
            const { connection, unwatch } = await take();
            return sessionOf(connection, oneAtATime(), () => {
              connection.destroy();
              unwatch();
            });
          },
        }
      : {}),
  };
}

function overConnection(
  connection: Mysql2Connection,
  lockWaitSeconds: number,
  keepsSession: boolean,
): SqlStore {
  const inTurn = oneAtATime();

  const withConnection = <T>(work: () => Promise<T>): Promise<T> =>
    inTurn(async () => {
      const unwatch = watch(connection);
      try {
        return await known(connection, work);
      } finally {
        unwatch();
      }
    });

  return {
    dialect: "mysql",
    query: (sql, params) =>
      withConnection(() => select(connection, { sql, params }, keepsSession && lockWaitSeconds)),
    batch: (statements) =>
      withConnection(() => waitingFor(connection, lockWaitSeconds, () => transact(connection, statements))),
    ...(keepsSession ? { session: async () => sessionOf(connection, inTurn, watch(connection)) } : {}),
  };
}

function sessionOf(
  connection: Mysql2Connection,
  inTurn: ReturnType<typeof oneAtATime>,
  leave: () => void,
): SqlSession {
  let isOpen = true;
  // The driver leaves what is under way on a connection that it destroys without an answer.
  let end: (reason: Error) => void = () => undefined;
  const ended = new Promise<never>((_, reject) => {
    end = reject;
  });
  ended.catch(() => undefined);

  return {
    query: (sql, params) =>
      Promise.race([
        ended,
        inTurn(() => known(connection, async () => ({ rows: (await send(connection, sql, params)).rows }))),
      ]),
    async close() {
      if (!isOpen) return;
      isOpen = false;
      await farewell(() => inTurn(() => send(connection, "DO RELEASE_ALL_LOCKS()")));
      leave();
      end(new JanitorError("store_unavailable", "the session is closed"));
    },
  };
}

/** A connection that breaks tells so as an event too, and an `error` event that nobody listens to ends the process. */
function watch(connection: Mysql2Connection): () => void {
  const ignore = () => undefined;
  connection.on("error", ignore);
  return () => connection.removeListener("error", ignore);
}

/** Work whose failure is told as we tell it; a connection that may be broken after it is made sure to be. */
async function known<T>(connection: Mysql2Connection, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof JanitorError) && endsConnection(error)) connection.destroy();
    throw toJanitorError(error);
  }
}

async function send(
  connection: Mysql2Connection,
  sql: string,
  params: readonly SqlValue[] = [],
): Promise<StatementResult> {
  const text = params.length === 0 ? sql : filled(sql, params);
  const [result] = await connection.query({ sql: text, ...READING });
  return Array.isArray(result)
    ? { rows: result, changes: 0 }
    : { rows: [], changes: Number((result as { affectedRows?: number | string }).affectedRows ?? 0) };
}

/** @param lockWaitSeconds false to wait as the session does, and to send nothing besides */
async function select(
  connection: Mysql2Connection,
  { sql, params }: Statement,
  lockWaitSeconds: number | false,
): Promise<{ rows: SqlValue[][] }> {
  if (lockWaitSeconds === false) return { rows: (await send(connection, sql, params)).rows };
  if (ABOUT_THE_SCHEMA.test(sql)) return { rows: await selectAll(connection, sql, params) };
  return waitingFor(connection, lockWaitSeconds, async () => ({
    rows: (await send(connection, sql, params)).rows,
  }));
}

const ABOUT_THE_SCHEMA = /\binformation_schema\./i;

/** What there is of the schema. Of a table that is locked for longer than the session waits, MariaDB leaves out what there is, and warns. */
async function selectAll(
  connection: Mysql2Connection,
  sql: string,
  params: readonly SqlValue[],
): Promise<SqlValue[][]> {
  const { rows } = await send(connection, sql, params);
  const warnings = (await send(connection, "SHOW WARNINGS")).rows;
  const waited = warnings.find(([, code]) => Number(code) === LOCK_WAIT);
  if (waited) throw new JanitorError("store_locked", `the schema cannot be read (${waited[2]})`);
  return rows;
}

/** The number of the failure to get a lock in time. */
const LOCK_WAIT = 1205;

/** Does work that waits so long for locks of rows and of tables. */
async function waitingFor<T>(
  connection: Mysql2Connection,
  lockWaitSeconds: number,
  work: () => Promise<T>,
): Promise<T> {
  await send(
    connection,
    `SET @idp_janitor_rows = @@SESSION.innodb_lock_wait_timeout, @idp_janitor_tables = @@SESSION.lock_wait_timeout,
      SESSION innodb_lock_wait_timeout = ${lockWaitSeconds}, SESSION lock_wait_timeout = ${lockWaitSeconds}`,
  );
  try {
    return await work();
  } finally {
    await orDestroy(
      connection,
      `SET SESSION innodb_lock_wait_timeout = @idp_janitor_rows, SESSION lock_wait_timeout = @idp_janitor_tables,
        @idp_janitor_rows = NULL, @idp_janitor_tables = NULL`,
    );
  }
}

// Whatever `completion_type` says that a transaction ends with.
const COMMIT = "COMMIT AND NO CHAIN NO RELEASE";
const ROLLBACK = "ROLLBACK AND NO CHAIN NO RELEASE";

/** Runs statements in a transaction. */
async function transact(
  connection: Mysql2Connection,
  statements: readonly Statement[],
): Promise<StatementResult[]> {
  const isQuestion = statements.length === 0;
  await begin(connection, isQuestion);
  try {
    if (isQuestion) await refuseReadOnly(connection);
    const results: StatementResult[] = [];
    for (const { sql, params } of statements) results.push(await send(connection, sql, params));
    await send(connection, COMMIT);
    return results;
  } catch (error) {
    await orDestroy(connection, ROLLBACK);
    // What it made for itself is not undone with it.
    for (const { sql } of statements) if (DROP.test(sql)) await orDestroy(connection, sql);
    throw error;
  }
}

/** How a batch does away with tables that nobody else sees. */
const DROP = /^DROP TEMPORARY TABLE IF EXISTS /;

/** A server that is read-only refuses to begin what says that it writes; a role that may still write, it does not. */
async function begin(connection: Mysql2Connection, isQuestion: boolean): Promise<void> {
  try {
    await send(connection, "SET TRANSACTION ISOLATION LEVEL READ COMMITTED");
  } catch (error) {
    throw isInTransaction(error) ? await inTransaction(connection) : error;
  }
  try {
    await send(connection, isQuestion ? "START TRANSACTION READ WRITE" : "START TRANSACTION");
  } catch (error) {
    // The level was set for the next transaction, which is not to be somebody else's.
    await orDestroy(connection, "START TRANSACTION READ ONLY");
    await orDestroy(connection, ROLLBACK);
    throw error;
  }
}

/** Where `autocommit` is off, a transaction need not be somebody else's: whatever is read begins one. */
async function inTransaction(connection: Mysql2Connection): Promise<JanitorError> {
  const { rows } = await send(connection, "SELECT @@SESSION.autocommit");
  if (Number(rows[0]?.[0]) !== 0) return notAlone();
  const message =
    "`autocommit` is off on this connection, so that whatever is read begins a transaction, which nobody ends: " +
    "give idp-janitor connections on which it is on (SET autocommit = 1)";
  return new JanitorError("store_failed", message);
}

/** What is not told by beginning: that transactions of this connection, or tables of InnoDB, are only read. */
async function refuseReadOnly(connection: Mysql2Connection): Promise<void> {
  // MySQL calls it `transaction_read_only`; MariaDB also, since 11.1, and `tx_read_only` before.
  const { rows } = await send(
    connection,
    "SHOW VARIABLES WHERE Variable_name IN ('transaction_read_only', 'tx_read_only', 'innodb_read_only')",
  );
  const on = rows.find(([, value]) => value === "ON");
  if (on) throw new JanitorError("store_read_only", `the database cannot be written to (${on[0]} is on)`);
}

/** Tidies a connection up, or does away with it. */
async function orDestroy(connection: Mysql2Connection, sql: string): Promise<void> {
  try {
    await send(connection, sql);
  } catch {
    connection.destroy();
  }
}
