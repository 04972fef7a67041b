/** Adapter for libSQL and Turso through the npm package `@libsql/client`. */

import { JanitorError } from "../errors.ts";
import type { SqlStore, SqlValue, StatementResult } from "../store.ts";
import { toInteger } from "./integers.ts";
import { toJanitorError } from "./libsql-errors.ts";

/** One statement as the client takes it. */
export interface LibsqlStatement {
  /** Its text. */
  readonly sql: string;
  /** The parameters in order. */
  readonly args: (string | number | bigint | Uint8Array | null)[];
}

/** What one statement gave; a row is known by the positions of its columns. */
export interface LibsqlResult {
  /** The rows that it returned. */
  readonly rows: readonly { readonly length: number; readonly [column: number]: LibsqlValue }[];
}

/** A value as the client gives it. */
export type LibsqlValue = string | number | bigint | ArrayBuffer | null;

/** What is asked of a client: those of `createClient` have it, of each build of the package. */
export interface LibsqlClient {
  /** Runs one statement. */
  execute(statement: LibsqlStatement): Promise<LibsqlResult>;
  /** Runs statements as one transaction that may write. */
  batch(statements: LibsqlStatement[], mode: "write"): Promise<LibsqlResult[]>;
  /** Runs the statements of a text, without results. */
  executeMultiple(sql: string): Promise<unknown>;
  /** `file` for a local database. */
  readonly protocol: string;
}

/** Changes of the last statement that made any, without those of triggers and foreign keys; and of all, with them. */
const COUNTERS: LibsqlStatement = { sql: "SELECT changes(), total_changes()", args: [] };

/**
 * A store on a client, which stays yours to close. Make it with `intMode: "bigint"`: with `"number"`, the client's default, reading
 * an integer beyond 2^53 - 1 fails, and one with `"string"` is refused by each call. How long a local database is waited
 * for is the client's `timeout`.
 */
export function libsql(client: LibsqlClient): SqlStore {
  let isTried = false;
  /** In the mode `string`, integers are not to be told from text. */
  const tryIntegers = async () => {
    if (isTried) return;
    const [row] = (await client.execute(COUNTERS)).rows;
    if (typeof row?.[0] === "string") {
      throw new JanitorError(
        "invalid_setting",
        'make the libSQL client with `intMode: "bigint"`, not `"string"`',
      );
    }
    isTried = true;
  };

  /**
   * A local client's connection cannot commit any more once a transaction of it could not begin, until a collection of
   * garbage (https://github.com/tursodatabase/libsql-client-ts/issues/352). Text that is run whole leaves nothing behind.
   */
  const tryLock = async () => {
    if (client.protocol === "file") await client.executeMultiple("BEGIN IMMEDIATE; ROLLBACK");
  };

  const known = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      await tryIntegers();
      return await work();
    } catch (error) {
      throw toJanitorError(error);
    }
  };

  return {
    dialect: "sqlite",
    rowLease: true,

    query: (sql, params) =>
      known(async () => ({ rows: rowsOf(await client.execute({ sql, args: params.map(toArgument) })) })),

    batch: (statements) =>
      known(async () => {
        await tryLock();
        const counted = statements.flatMap(({ sql, params }) => [
          { sql, args: params.map(toArgument) },
          COUNTERS,
        ]);
        const results = await client.batch([COUNTERS, ...counted], "write");
        return statements.map((_, at) => resultOf(results.slice(2 * at, 2 * at + 3)));
      }),
  };
}

/** What a statement did, by its result and the counters before and after it. */
function resultOf([before, result, after]: LibsqlResult[]): StatementResult {
  const changed = before?.rows[0]?.[1] !== after?.rows[0]?.[1];
  return { rows: rowsOf(result), changes: changed ? Number(after?.rows[0]?.[0]) : 0 };
}

function rowsOf(result: LibsqlResult | undefined): SqlValue[][] {
  return (result?.rows ?? []).map((row) => Array.from({ length: row.length }, (_, at) => toValue(row[at])));
}

function toValue(value: LibsqlValue | undefined): SqlValue {
  if (typeof value === "bigint") return toInteger(value);
  return value instanceof ArrayBuffer ? new Uint8Array(value) : (value ?? null);
}

/** Whole numbers as integers, which SQLite tells from reals. */
function toArgument(value: SqlValue): string | number | bigint | Uint8Array | null {
  if (typeof value === "boolean") return value ? 1n : 0n;
  return typeof value === "number" && Number.isInteger(value) ? BigInt(value) : value;
}
