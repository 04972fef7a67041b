/** Adapter for Cloudflare D1. */

import { JanitorError } from "../errors.ts";
import type { SqlStore, SqlValue, StatementResult } from "../store.ts";
import { toJanitorError } from "./d1-errors.ts";
import { type Bindable, bindable } from "./d1-sql.ts";
import { toInteger } from "./integers.ts";

/** What is asked of a prepared statement. */
export interface D1Prepared {
  /** The same statement with a value for each placeholder. */
  bind(...values: unknown[]): D1Prepared;
  /** Runs it; the rows as arrays. */
  raw(): Promise<unknown[]>;
}

/** What one statement of a batch gave. */
export interface D1BatchResult {
  /** The rows as objects by column. */
  readonly results: unknown[];
  /** Rows that it changed, those of triggers and foreign keys included. */
  readonly meta: { readonly changes?: number };
}

/** What is asked of a database: a D1 binding has it, and a session of one (`withSession("first-primary")`). */
export interface D1Binding {
  /** A statement, which is not sent yet. */
  prepare(sql: string): D1Prepared;
  // What a batch takes is what `prepare` of the same binding gives.
  /** Runs statements as one transaction; a result for each. */
  batch(statements: never[]): Promise<D1BatchResult[]>;
}

/**
 * A store on a D1 database. One run of a job at a time holds it, by a row of `idp_janitor_leases`.
 *
 * Numbers come and go exactly, beyond 2^53 too, with two bounds that are D1's: a query that returns such an integer is sent once
 * more, and a batch that returns one fails with `store_failed` although it has taken effect; `CAST(… AS TEXT)` is exact. In a
 * batch, the columns of what a statement returns need names that differ, and are not numbers.
 *
 * @throws nothing itself; its calls throw JanitorError as {@link SqlStore} says, and `store_quota` where the plan's rows of the day
 * are used up. A batch that failed has changed nothing, except with such an integer; after `store_unavailable` it is not known.
 */
export function d1(database: D1Binding): SqlStore {
  const prepare = ({ sql, values }: Bindable) => database.prepare(sql).bind(...values);
  const ask = async (statement: Bindable) => (await prepare(statement).raw()) as unknown[][];

  return {
    dialect: "sqlite",
    rowLease: true,

    query: (sql, params) =>
      known(async () => {
        const statement = bindable(sql, params, false);
        const rows = await ask(statement);
        const first = rows[0];
        if (first === undefined || !rows.some((row) => row.some(isRounded))) return { rows: rows.map(toRow) };
        const exact = await ask({ ...statement, sql: exactly(statement.sql, first.length) });
        return { rows: exact.map(fromExact) };
      }),

    batch: (statements) =>
      known(async () => {
        // An empty batch asks whether the database is there; a database of D1 can always be written to.
        const asked = statements.map(({ sql, params }) => bindable(sql, params, true));
        const sent = asked.length === 0 ? [bindable("SELECT 1", [], true)] : asked;
        const results = await database.batch(sent.map(prepare) as never[]);
        return asked.map((statement, at) => resultOf(statement, results[at]));
      }),
  };
}

async function known<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toJanitorError(error);
  }
}

/** D1's own `changes` counts what triggers and foreign keys did as well, so it is asked only where nothing else tells. */
function resultOf({ writes, returns }: Bindable, result: D1BatchResult | undefined): StatementResult {
  const returned = result?.results ?? [];
  // There can be thousands, and nothing is in them.
  if (returns === "a count") return { rows: [], changes: returned.length };
  const found = returned.map((row) => Object.values(row as Record<string, unknown>));
  const ownChanges = writes ? (result?.meta.changes ?? 0) : 0;
  return { rows: found.map(exactRow), changes: returns === "its own" ? found.length : ownChanges };
}

function exactRow(row: readonly unknown[]): SqlValue[] {
  if (!row.some(isRounded)) return toRow(row);
  const message =
    "D1 gave an integer beyond 2^53 that it had rounded, in a batch that has taken effect: ask for it by CAST(... AS TEXT)";
  throw new JanitorError("store_failed", message);
}

function isRounded(value: unknown): boolean {
  return typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value);
}

function toRow(row: readonly unknown[]): SqlValue[] {
  return row.map((value) => (Array.isArray(value) ? new Uint8Array(value) : (value as SqlValue)));
}

/** The query with each of its columns in two: what it is, and its value, integers as text. */
function exactly(sql: string, columns: number): string {
  const names = Array.from({ length: columns }, (_, at) => `c${at}`);
  const pairs = names.map(
    (name) =>
      `typeof(${name}), CASE typeof(${name}) WHEN 'integer' THEN CAST(${name} AS TEXT) ELSE ${name} END`,
  );
  // The line ends before the parenthesis, in case the query ends in a comment.
  return `WITH idp_janitor_exact(${names.join(", ")}) AS (${sql}\n) SELECT ${pairs.join(", ")} FROM idp_janitor_exact`;
}

function fromExact(pairs: readonly unknown[]): SqlValue[] {
  return toRow(pairs.filter((_, at) => at % 2 === 1)).map((value, at) =>
    pairs[2 * at] === "integer" ? toInteger(String(value)) : value,
  );
}
