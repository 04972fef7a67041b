/**
 * The adapter contract: what a store must be able to do so that a job can run on it.
 *
 * A driver is always passed in to an adapter; nothing is looked up in a global.
 */

/** A value as it crosses between the core and a driver. Integers beyond 2^53 - 1 are `bigint`. */
export type SqlValue = string | number | bigint | boolean | null | Uint8Array;

/** One SQL statement with its positional parameters, in order. */
export interface Statement {
  /** Its text, one statement in the SQL of the store's dialect. */
  readonly sql: string;
  /** One value for each placeholder; those of the core's own statements are text. */
  readonly params: readonly SqlValue[];
}

/** What one statement of a batch did. */
export interface StatementResult {
  /** The rows it returned, each an array in the order of the columns. */
  readonly rows: SqlValue[][];
  /** How many rows the statement itself changed, without those of triggers and foreign-key actions. */
  readonly changes: number;
}

/** A database that runs the SQL that the core writes. */
export interface SqlStore {
  /** The SQL that the database speaks. Placeholders are `$1`, `$2`, … in `"postgres"` and `?` in the others. */
  readonly dialect: "sqlite" | "postgres" | "mysql";
  /**
   * How many calls the store can serve at the same time, each on a connection of its own: the most that `concurrency` of a
   * run may be. Default 1.
   */
  readonly maxConcurrency?: number;
  /**
   * Runs one reading statement and returns its rows, each an array in the order of the columns.
   *
   * @throws JanitorError with a `store_*` code; nothing has been changed.
   */
  query(sql: string, params: readonly SqlValue[]): Promise<{ rows: SqlValue[][] }>;
  /**
   * Runs the statements in order as one atomic unit that may write: all of them take effect, or none. An empty
   * batch asks whether the store can be written to at this moment.
   *
   * On PostgreSQL, a batch without parameters takes one round trip. On MySQL, it reads what is committed (READ COMMITTED).
   *
   * @throws JanitorError with a `store_*` code; no statement of the batch has taken effect. Only after `store_unavailable`
   * that is not known: the connection may have been lost after the commit and before its confirmation.
   */
  batch(statements: readonly Statement[]): Promise<StatementResult[]>;
  /**
   * Whether one run of a job at a time is to be held to by a row of the store itself, in a table `idp_janitor_leases` that the
   * first real run makes: for a database that several hosts reach, and whose connections hold no locks. Default false.
   */
  readonly rowLease?: boolean;
  /**
   * A connection that is kept until it is closed, for what lives as long as a connection does, such as an advisory lock.
   * Absent where the database has no such locks.
   *
   * @throws JanitorError with a `store_*` code.
   */
  session?(): Promise<SqlSession>;
}

/** One connection that is kept. */
export interface SqlSession {
  /** As {@link SqlStore.query}, on this connection. */
  query(sql: string, params: readonly SqlValue[]): Promise<{ rows: SqlValue[][] }>;
  /** Gives it back, and with it whatever the database held for it. Never rejects. */
  close(): Promise<void>;
}

/** The fields of one record by name. Instants are RFC 3339 text or `Date`, NULL is `null`. */
export type Row = Readonly<Record<string, unknown>>;

/** One page of a collection. */
export interface Page {
  /** At most `limit` records; `id` is what {@link RecordStore.remove} takes. */
  readonly records: readonly { readonly id: string; readonly row: Row }[];
  /** Where the next page begins, to be passed as `after`; absent on the last page. */
  readonly next?: string;
}

/** Any other store of records: a KV, a document store, a REST API, an array. */
export interface RecordStore {
  /**
   * Reads one page of a collection in an order that removals do not disturb.
   *
   * @throws JanitorError `store_missing_table` if there is no such collection.
   */
  scan(collection: string, page: { readonly after?: string; readonly limit: number }): Promise<Page>;
  /**
   * Removes those of the records for which `stillStale` holds at the moment of removal, and with each of them what
   * belongs to it. Returns how many records of the collection itself were removed. An id that is gone counts nothing.
   *
   * @throws JanitorError `store_missing_table` if there is no such collection, another `store_*` code where it fails, and
   * whatever `stillStale` throws. The record that it fails at is there still, and so are those after it; those before may be gone.
   */
  remove(collection: string, ids: readonly string[], stillStale: (row: Row) => boolean): Promise<number>;
}

/** A store that a janitor can work on. */
export type Store = SqlStore | RecordStore;

/** Whether a store runs SQL. */
export function isSqlStore(store: Store): store is SqlStore {
  return "dialect" in store;
}
