/** Adapter for PostgreSQL through node-postgres, the npm package `pg`. */

import { JanitorError } from "../errors.ts";
import type { SqlSession, SqlStore, SqlValue, Statement, StatementResult } from "../store.ts";
import { notAlone } from "./failure.ts";
import {
  isInTransaction,
  isPlain,
  joined,
  READ_ONLY,
  refuseReadOnly,
  toResult,
  UNLOCK,
} from "./postgres-batch.ts";
import { isLost, spoilsConnection, toJanitorError } from "./postgres-errors.ts";
import type { PostgresOptions } from "./postgres-options.ts";
import { fromText, toText } from "./postgres-values.ts";
import { farewell, oneAtATime } from "./turns.ts";

export type { PostgresOptions } from "./postgres-options.ts";

/** One query as node-postgres takes it, with readers of values of its own. */
export interface PgQuery {
  /** One statement; without values, several. */
  readonly text: string;
  /** The parameters in order, as text. */
  readonly values?: (string | null)[];
  /** Rows as arrays in the order of their columns. */
  readonly rowMode: "array";
  /** The readers of values. */
  readonly types: {
    /** What reads values of the type with that object id. */
    getTypeParser(type: number, format?: string): (text: string) => SqlValue;
  };
}

/** What one statement gave. */
export interface PgResult {
  /** The first word of the server's tag: `SELECT`, `DELETE`, … */
  readonly command: string | null;
  /** The rows that it returned or changed; `null` for statements that do neither. */
  readonly rowCount: number | null;
  /** The rows that it returned. */
  readonly rows: SqlValue[][];
}

/** What is asked of a client: `pg.Client` has it, and so have clients of drivers that follow it. */
export interface PgClient {
  /** Runs a query; where its text has several statements, a result for each. */
  query(query: PgQuery): Promise<PgResult | PgResult[]>;
  /** Listens to the loss of the connection. */
  on(event: "error", listener: (error: Error) => void): unknown;
  /** Listens no more. */
  removeListener(event: "error", listener: (error: Error) => void): unknown;
  /** `I` outside of transactions; versions that do not tell are asked by SQL. */
  getTransactionStatus?(): string | null;
}

/** A client that belongs to a pool. */
export interface PgPoolClient extends PgClient {
  /** Gives it back to the pool; with an error or `true` it is ended instead. */
  release(destroy?: Error | boolean): void;
}

/** What is asked of a pool: `pg.Pool` has it. */
export interface PgPool {
  /** `max`: the most clients that it has; 10 if absent. */
  readonly options: { readonly max?: number | undefined };
  /** How many clients it has now; what tells a pool from a client. */
  readonly totalCount: number;
  /** Takes a client out of it. */
  connect(): Promise<PgPoolClient>;
}

/** How many clients a pool has at most unless it is told. */
const POOL_MAX = 10;

/**
 * A store on a `pg.Pool`, or on a connected `pg.Client` that serves one call at a time. Either stays yours to end, and so
 * does listening to a pool's `error` event.
 *
 * A pool of one client has no session, for nothing could run beside it. Without one, a row is the lease of a job.
 *
 * @throws nothing itself; its calls throw JanitorError as {@link SqlStore} says, `invalid_setting` for a client with `binary`, and
 * `store_failed` where a batch meets a transaction that somebody else has begun. A batch that failed has changed nothing;
 * after `store_unavailable` it is not known.
 */
export function pg(database: PgPool | PgClient, options: PostgresOptions = {}): SqlStore {
  const { session = true, rowLease = true } = options;
  const store = "totalCount" in database ? overPool(database, session) : overClient(database, session);
  return { ...store, rowLease: rowLease && store.session === undefined };
}

function overPool(pool: PgPool, wantsSession: boolean): SqlStore {
  const max = pool.options.max ?? POOL_MAX;
  const keepsSession = wantsSession && max > 1;

  const take = async () => {
    try {
      const client = await pool.connect();
      return { client, unwatch: watch(client) };
    } catch (error) {
      throw toJanitorError(error);
    }
  };

  const withClient = async <T>(work: (client: PgClient) => Promise<T>, alone = false): Promise<T> => {
    const { client, unwatch } = await take();
    let broken: Error | undefined;
    let isTheirs = !isIdle(client);
    try {
      if (alone) isTheirs = await isTaken(client);
      if (alone && isTheirs) throw notAlone();
      return await work(client);
    } catch (error) {
      const known = toJanitorError(error);
      // Whatever is not known to be well does not go back into the pool; a transaction that somebody else left in it is theirs to end.
      if (isTheirs ? isLost(error) : spoilsConnection(error) || !isIdle(client)) broken = known;
      throw known;
    } finally {
      client.release(broken);
      unwatch();
    }
  };

  const session = async (): Promise<SqlSession> => {
    const { client, unwatch } = await take();
    return sessionOf(client, oneAtATime(), () => {
      client.release(true);
      unwatch();
    });
  };

  return {
    dialect: "postgres",
    maxConcurrency: keepsSession ? max - 1 : max,
    query: (sql, params) => withClient(async (client) => ({ rows: await select(client, sql, params) })),
    batch: (statements) => withClient((client) => perform(client, statements), true),
    ...(keepsSession ? { session } : {}),
  };
}

function overClient(client: PgClient, keepsSession: boolean): SqlStore {
  const inTurn = oneAtATime();

  const withClient = <T>(work: () => Promise<T>): Promise<T> =>
    inTurn(async () => {
      const unwatch = watch(client);
      try {
        return await work();
      } catch (error) {
        throw toJanitorError(error);
      } finally {
        unwatch();
      }
    });

  return {
    dialect: "postgres",
    query: (sql, params) => withClient(async () => ({ rows: await select(client, sql, params) })),
    batch: (statements) =>
      withClient(async () => {
        if (await isTaken(client)) throw notAlone();
        return perform(client, statements);
      }),
    ...(keepsSession ? { session: async () => sessionOf(client, inTurn, watch(client)) } : {}),
  };
}

/** Whether a client is in no transaction, as far as it tells. */
function isIdle(client: PgClient): boolean {
  return (client.getTransactionStatus?.() ?? "I") === "I";
}

/** Whether somebody else has begun a transaction. The status of a client that is gone is what it was before. */
async function isTaken(client: PgClient): Promise<boolean> {
  if (client.getTransactionStatus?.() === "I") return false;
  return isInTransaction((sql) => select(client, sql, []));
}

function sessionOf(client: PgClient, inTurn: ReturnType<typeof oneAtATime>, leave: () => void): SqlSession {
  let isOpen = true;
  return {
    query: (sql, params) =>
      inTurn(async () => {
        try {
          return { rows: await select(client, sql, params) };
        } catch (error) {
          throw toJanitorError(error);
        }
      }),
    async close() {
      if (!isOpen) return;
      isOpen = false;
      await farewell(() => inTurn(() => select(client, UNLOCK, [])));
      leave();
    },
  };
}

/** A client that breaks tells so as an event too, and an `error` event that nobody listens to ends the process. */
function watch(client: PgClient): () => void {
  const ignore = () => undefined;
  client.on("error", ignore);
  return () => client.removeListener("error", ignore);
}

const types: PgQuery["types"] = {
  getTypeParser: (type, format) => (text) => {
    if (format === "binary") {
      throw new JanitorError(
        "invalid_setting",
        "`binary` of the client is on: idp-janitor reads values as text",
      );
    }
    return fromText(text, type);
  },
};

async function send(client: PgClient, text: string, params: readonly SqlValue[]): Promise<PgResult[]> {
  const values = params.length > 0 ? { values: params.map(toText) } : {};
  const results = await client.query({ text, ...values, rowMode: "array", types });
  return Array.isArray(results) ? results : [results];
}

async function select(client: PgClient, sql: string, params: readonly SqlValue[]): Promise<SqlValue[][]> {
  return (await send(client, sql, params))[0]?.rows ?? [];
}

async function perform(client: PgClient, statements: readonly Statement[]): Promise<StatementResult[]> {
  if (statements.length === 0) {
    refuseReadOnly(await select(client, READ_ONLY, []));
    return [];
  }
  if (isPlain(statements)) {
    const text = joined(statements.map(({ sql }) => sql));
    return (await send(client, text, [])).map(ofPg);
  }
  await send(client, "BEGIN", []);
  try {
    const results: StatementResult[] = [];
    for (const { sql, params } of statements) {
      const [done] = await send(client, sql, params);
      if (done) results.push(ofPg(done));
    }
    await send(client, "COMMIT", []);
    return results;
  } catch (error) {
    // Where this fails as well, it is the connection that did, and that is what is told.
    if (!spoilsConnection(error)) await send(client, "ROLLBACK", []);
    throw error;
  }
}

function ofPg({ command, rowCount, rows }: PgResult): StatementResult {
  return toResult({ command, count: rowCount, rows });
}
