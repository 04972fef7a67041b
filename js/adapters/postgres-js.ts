/** What the driver postgres.js is told, and what it tells: the parts of its adapter. */

import { JanitorError } from "../errors.ts";
import type { SqlValue, Statement, StatementResult } from "../store.ts";
import { property } from "./failure.ts";
import { joined, toResult } from "./postgres-batch.ts";
import { isLost } from "./postgres-errors.ts";
import { fromText, toText, UNKNOWN_TYPE } from "./postgres-values.ts";

/** What one statement gave, its values as the bytes that the server sent. */
export interface PostgresJsResult extends Iterable<readonly (Uint8Array | null)[]> {
  /** The first word of the server's tag: `SELECT`, `DELETE`, … */
  readonly command: string;
  /** The rows that it returned or changed; `null` for statements that do neither. */
  readonly count: number | null;
  /** Of a statement that returns no rows, whatever was there before. */
  readonly columns?: readonly { readonly type: number }[];
}

/** What takes queries: an instance, or a transaction of it. */
export interface PostgresJsQueries {
  /** A query of a text as it is; `raw` runs it and gives the bytes of its values. */
  unsafe(text: string, parameters: never[]): { raw(): PromiseLike<unknown> };
  /** A parameter with the object id of its type. */
  typed(value: string, type: number): unknown;
}

/** What is asked of an instance, as the function of the package `postgres` makes them. */
export interface PostgresJs extends PostgresJsQueries {
  /** `max`: the most connections that it has; `transform.row.from`: what changes rows as they are read. */
  readonly options: {
    readonly max: number;
    readonly transform: { readonly row: { readonly from?: unknown } };
  };
  /** Runs the work as one transaction, which is undone where it throws. */
  begin<T>(work: (sql: PostgresJsQueries) => Promise<T>): Promise<unknown>;
}

/**
 * Sends a text and gives the results as the driver divides them.
 *
 * The driver's date serializer cuts microseconds, and its readers are the caller's to change: bytes, and text of no type, go
 * round both.
 */
export async function send(
  sql: PostgresJsQueries,
  text: string,
  params: readonly SqlValue[] = [],
  own: never[] = [],
): Promise<PostgresJsResult[]> {
  for (const param of params) {
    const value = toText(param);
    own.push((value === null ? null : sql.typed(value, UNKNOWN_TYPE)) as never);
  }
  const answer = await sql.unsafe(text, own).raw();
  // Several results come as a list; one, which is a list of its rows, has a command.
  const isOne = property(answer, "command") !== undefined;
  return (isOne ? [answer] : answer) as PostgresJsResult[];
}

/**
 * As {@link send}, on any connection.
 *
 * After a connection was lost in a query, the driver answers the next query on what follows it with the server's words on
 * that, and does not send it (version 3.4). The list of parameters that an error carries tells whose it is.
 */
export async function sendAnywhere(
  sql: PostgresJs,
  text: string,
  params: readonly SqlValue[] = [],
): Promise<PostgresJsResult[]> {
  for (let left = sql.options.max; ; left -= 1) {
    const own: never[] = [];
    await betweenEvents();
    try {
      return await send(sql, text, params, own);
    } catch (error) {
      const whose = property(error, "args");
      const isOfAnother = property(error, "severity") !== undefined && whose !== undefined && whose !== own;
      if (!isOfAnother || left === 0) throw error;
    }
  }
}

/**
 * Waits until no connection is broken and not yet closed. To one that is, the driver still gives queries, which are never
 * answered, or with the answers of others. Timers come before the events of sockets, and what closes after them.
 */
function betweenEvents(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 0);
  });
}

/** The rows of a result. */
export function rowsOf(result: PostgresJsResult | undefined): SqlValue[][] {
  if (!result) return [];
  const types = result.columns?.map(({ type }) => type) ?? [];
  return Array.from(result, (row) =>
    row.map((bytes, at) => fromText(bytes && decoder.decode(bytes), types[at] ?? 0)),
  );
}

/** A byte order mark is part of a text. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** What a statement that was sent alone did. */
export function resultOf(results: readonly PostgresJsResult[]): StatementResult {
  const [result] = results;
  return toResult({ command: result?.command, count: result?.count, rows: rowsOf(result) });
}

/** What goes before each statement of a text: the driver begins a new result where there are columns, and only there. */
const MARK = "SHOW transaction_deferrable";

/** Statements as one text, with a mark before each. */
export function marked(statements: readonly Statement[]): string {
  return joined(statements.flatMap(({ sql }) => [MARK, sql]));
}

/**
 * The results of statements that were {@link marked}. What a statement without columns did stands in the result of its mark,
 * whose own command has no count.
 */
export function unmarked(results: readonly PostgresJsResult[], statements: number): StatementResult[] {
  const found: StatementResult[] = [];
  for (let at = 0; at < results.length; at += 1) {
    const mark = results[at];
    if (mark && mark.command !== "SHOW") {
      found.push(toResult({ command: mark.command, count: mark.count, rows: [] }));
      continue;
    }
    at += 1;
    const result = results[at];
    if (result) found.push(resultOf([result]));
  }
  if (found.length === statements) return found;
  const message = `postgres.js gave ${found.length} results for ${statements} statements, which have taken effect`;
  throw new JanitorError("internal", message);
}

/**
 * Runs work in a transaction, on any connection.
 *
 * Work that is told of a lost connection never settles: the driver would write to that once more, which ends the process
 * (https://github.com/porsager/postgres/issues/1208).
 */
export async function transact<T>(
  sql: PostgresJs,
  work: (transaction: PostgresJsQueries) => Promise<T>,
): Promise<T> {
  for (let left = sql.options.max; ; left -= 1) {
    let hasBegun = false;
    await betweenEvents();
    try {
      return await new Promise<T>((resolve, reject) => {
        const guarded = async (transaction: PostgresJsQueries) => {
          hasBegun = true;
          try {
            return await work(transaction);
          } catch (error) {
            if (!isLost(error)) throw error;
            reject(error);
            return new Promise<never>(() => undefined);
          }
        };
        sql.begin(guarded).then((value) => resolve(value as T), reject);
      });
    } catch (error) {
      // Words on another connection, as in `sendAnywhere`: nothing of ours was sent.
      const isOfAnother = !hasBegun && property(error, "severity") !== undefined && isLost(error);
      if (!isOfAnother || left === 0) throw error;
    }
  }
}
