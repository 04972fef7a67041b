/** A store that counts what is sent to it, for hosts that allow only so much. */

import { JanitorError } from "../errors.ts";
import type { SqlSession, SqlStore } from "../store.ts";

/** A store, and how many statements it has been sent. */
export interface Metered {
  readonly store: SqlStore;
  statements(): number;
}

/** The same store, counted, and its sessions with it. A statement that fails has been sent as well. */
export function metered(store: SqlStore): Metered {
  let sent = 0;
  const count = async (open: () => Promise<SqlSession>): Promise<SqlSession> => {
    const session = await open();
    const query: SqlSession["query"] = (sql, params) => {
      sent += 1;
      return session.query(sql, params);
    };
    return { query, close: () => session.close() };
  };
  const session = store.session?.bind(store);
  // By name: what a store of a class has from its class would be lost by spreading it.
  const counted: SqlStore = {
    dialect: store.dialect,
    ...(store.maxConcurrency === undefined ? {} : { maxConcurrency: store.maxConcurrency }),
    ...(store.rowLease === undefined ? {} : { rowLease: store.rowLease }),
    ...(session === undefined ? {} : { session: () => count(session) }),
    query: (sql, params) => {
      sent += 1;
      return store.query(sql, params);
    },
    batch: (statements) => {
      sent += Math.max(1, statements.length);
      return store.batch(statements);
    },
  };
  return { store: counted, statements: () => sent };
}

/** The error of a run to which a host had left a part of its statements; a number that it names is the run's, and the host's come on top. */
export function withOwn(error: unknown, own: number): unknown {
  if (!(error instanceof JanitorError && error.code === "too_few_statements")) return error;
  return new JanitorError(
    error.code,
    `${error.message}; ${own} that its host sends come on top of both numbers`,
    error.setting === undefined ? {} : { setting: error.setting },
  );
}
