/** Adapter for Node's own SQLite, `node:sqlite`. */

import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { JanitorError } from "../errors.ts";
import type { SqlStore, SqlValue, Statement, StatementResult } from "../store.ts";
import { notAlone } from "./failure.ts";
import { toInteger } from "./integers.ts";
import { sqliteFailure } from "./sqlite-errors.ts";

/** How many prepared statements are kept. A job has a few dozen. */
const PREPARED = 200;

/** Enough for the pages of a slice, and little enough that the process stays well under 150 MB. */
const CACHE_KIB = 48 * 1024;

/**
 * Tunes a connection that serves a job alone; what it returns takes that back. A slice that fits into the page cache
 * keeps no reader out before its commit, and a journal that stays need not be made anew for each. A database with a
 * write-ahead log keeps its log.
 */
export function tune(database: DatabaseSync, options: { readonly readOnly?: boolean } = {}): () => void {
  database.exec(`PRAGMA cache_size = ${-CACHE_KIB}`);
  const mode = database.prepare("PRAGMA journal_mode").get()?.journal_mode;
  if (options.readOnly || mode !== "delete") return () => undefined;
  database.exec("PRAGMA journal_mode = PERSIST");
  return () => database.exec("PRAGMA journal_mode = DELETE");
}

/**
 * A store on an open database, which stays yours to close. How long it waits for a lock is what you opened it with
 * (`timeout`, milliseconds; 5,000 is a good patience).
 *
 * The driver is synchronous. The event loop turns before each call, so that signals and timers get through.
 */
export function nodeSqlite(database: DatabaseSync): SqlStore {
  const prepared = new Map<string, StatementSync>();

  const prepare = (sql: string): StatementSync => {
    const known = prepared.get(sql);
    if (known) return known;
    const statement = database.prepare(sql);
    statement.setReadBigInts(true);
    statement.setReturnArrays(true);
    if (prepared.size >= PREPARED) prepared.clear();
    prepared.set(sql, statement);
    return statement;
  };

  const all = (sql: string, params: readonly SqlValue[]): SqlValue[][] => {
    // With setReturnArrays, rows are arrays; the driver's types do not know.
    const rows = prepare(sql).all(...params.map(toInput)) as unknown as SqlValue[][];
    return rows.map((row) => row.map(toValue));
  };

  /** The changes of the last statement that made any, and of all statements so far. */
  const counters = () => {
    const [row] = all("SELECT changes(), total_changes()", []);
    return { last: Number(row?.[0]), total: Number(row?.[1]) };
  };

  /** `changes()` goes on telling of an earlier statement after one that changes nothing by itself, such as a pragma. */
  const perform = ({ sql, params }: Statement): StatementResult => {
    const before = counters();
    const rows = all(sql, params);
    const after = counters();
    return { rows, changes: after.total === before.total ? 0 : after.last };
  };

  return {
    dialect: "sqlite",

    async query(sql, params) {
      await setImmediate();
      try {
        return { rows: all(sql, params) };
      } catch (error) {
        throw toJanitorError(error);
      }
    },

    async batch(statements) {
      await setImmediate();
      begin(database);
      try {
        const results = statements.map(perform);
        database.exec("COMMIT");
        return results;
      } catch (error) {
        rollBack(database);
        throw toJanitorError(error);
      }
    },
  };
}

/** Begins a transaction of our own; one of somebody else's on the connection is not ours to end. */
function begin(database: DatabaseSync): void {
  if (database.isTransaction) throw notAlone();
  try {
    database.exec("BEGIN IMMEDIATE");
  } catch (error) {
    throw toJanitorError(error);
  }
}

/** Some failures have ended the transaction already. */
function rollBack(database: DatabaseSync): void {
  if (!database.isTransaction) return;
  try {
    database.exec("ROLLBACK");
  } catch {
    // SQLite undoes it when the connection closes, or when somebody else opens the file.
  }
}

function toInput(value: SqlValue): SQLInputValue {
  return typeof value === "boolean" ? Number(value) : value;
}

function toValue(value: SqlValue): SqlValue {
  return typeof value === "bigint" ? toInteger(value) : value;
}

/** The driver's error as a {@link JanitorError}, by SQLite's result code. */
export function toJanitorError(error: unknown): JanitorError {
  return error instanceof JanitorError ? error : sqliteFailure(error, resultCode(error));
}

function resultCode(error: unknown): number {
  const code = typeof error === "object" && error !== null && "errcode" in error ? error.errcode : 0;
  return typeof code === "number" ? code : 0;
}
