/** Adapter for PGlite, the npm package `@electric-sql/pglite`: PostgreSQL in the process itself, in Node and in browsers. */

import type { SqlStore, SqlValue, Statement, StatementResult } from "../store.ts";
import { notAlone } from "./failure.ts";
import { isInTransaction, isPlain, joined, READ_ONLY, refuseReadOnly } from "./postgres-batch.ts";
import { toJanitorError } from "./postgres-errors.ts";
import { fromText, toText } from "./postgres-values.ts";
import { oneAtATime } from "./turns.ts";

/** How values are read and written, by the object id of their type. */
export interface PGliteQueryOptions {
  /** Rows as arrays in the order of their columns. */
  readonly rowMode: "array";
  /** Readers of values, from the text that the database gives. */
  readonly parsers: Record<number, (text: string) => string>;
  /** Writers of parameters, to the text that the database takes. */
  readonly serializers: Record<number, (text: string) => string>;
}

/** What one statement gave. */
export interface PGliteResult {
  /** The rows, in the form that was asked for. */
  readonly rows: unknown[];
  /** The columns, each with the object id of its type. */
  readonly fields: { readonly dataTypeID: number }[];
  /** Rows that were changed by this statement and those before it in the same text. */
  readonly affectedRows?: number;
}

/** What takes queries: a database, or a transaction of it. */
export interface PGliteQueries {
  /** Runs one statement with parameters. */
  query(sql: string, params: (string | null)[], options: PGliteQueryOptions): Promise<PGliteResult>;
  /** Runs the statements of a text; a result for each. */
  exec(sql: string, options: PGliteQueryOptions): Promise<PGliteResult[]>;
}

/** What is asked of a database: `PGlite` and `PGliteWorker` have it. */
export interface PGliteDatabase extends PGliteQueries {
  /** How the application reads values, by the object id of their type. */
  readonly parsers: Readonly<Record<string, unknown>>;
  /** How it writes them. */
  readonly serializers: Readonly<Record<string, unknown>>;
  /** Runs the work as one transaction, which is undone where it throws. */
  transaction<T>(work: (transaction: PGliteQueries) => Promise<T>): Promise<T>;
  /** Whether it has been closed. */
  readonly closed: boolean;
  /** Whether it is in a transaction. That of a worker does not tell. */
  isInTransaction?(): boolean;
}

/**
 * A store on a PGlite, which stays yours to close. It has one connection, and no sessions: nobody else is there to be kept
 * out. PGlite itself drops a byte order mark that a text begins with.
 *
 * @throws nothing itself; its calls throw JanitorError as {@link SqlStore} says, and `store_failed` where a batch meets a
 * transaction of somebody else. A batch that failed has changed nothing.
 */
export function pglite(database: PGliteDatabase): SqlStore {
  const inTurn = oneAtATime();

  const known = <T>(work: () => Promise<T>): Promise<T> =>
    inTurn(async () => {
      try {
        return await work();
      } catch (error) {
        throw toJanitorError(error);
      }
    });

  const select = async (sql: string, params: readonly SqlValue[] = []) =>
    (await run(database, options(database), { sql, params })).rows;

  /** What is told may be a transaction of the application's own that ends before it is our turn. */
  const isTaken = async () =>
    (database.closed || (database.isInTransaction?.() ?? true)) && (await isInTransaction(select));

  return {
    dialect: "postgres",
    query: (sql, params) => known(async () => ({ rows: await select(sql, params) })),
    batch: (statements) =>
      known(async () => {
        if (await isTaken()) throw notAlone();
        if (statements.length === 0) {
          refuseReadOnly(await select(READ_ONLY));
          return [];
        }
        return perform(database, statements);
      }),
  };
}

async function perform(
  database: PGliteDatabase,
  statements: readonly Statement[],
): Promise<StatementResult[]> {
  const how = options(database);
  if (isPlain(statements)) {
    const results = await database.exec(joined(statements.map(({ sql }) => sql)), how);
    return results.map((result, at) => toStatementResult(result, results[at - 1]?.affectedRows));
  }
  return database.transaction(async (transaction) => {
    const results: StatementResult[] = [];
    for (const statement of statements) results.push(await run(transaction, how, statement));
    return results;
  });
}

async function run(
  queries: PGliteQueries,
  how: PGliteQueryOptions,
  { sql, params }: Statement,
): Promise<StatementResult> {
  return toStatementResult(await queries.query(sql, params.map(toText), how));
}

function toStatementResult({ rows, fields, affectedRows = 0 }: PGliteResult, before = 0): StatementResult {
  const read = (rows as (string | null)[][]).map((row) =>
    row.map((text, at) => fromText(text, fields[at]?.dataTypeID ?? 0)),
  );
  return { rows: read, changes: affectedRows - before };
}

/** Lets text through both ways, whatever reads and writes values for the application. */
function options({ parsers, serializers }: PGliteDatabase): PGliteQueryOptions {
  return { rowMode: "array", parsers: untouched(parsers), serializers: untouched(serializers) };
}

function untouched(byType: Readonly<Record<string, unknown>>): Record<number, (text: string) => string> {
  return Object.fromEntries(Object.keys(byType).map((type) => [type, (text: string) => text]));
}
