/** A key cache in a table of a database. */

import type { KeyCache } from "../key-cache.ts";
import type { SqlStore, Statement } from "../store.ts";
import { named, orFailure } from "./failure.ts";
import { keyTable } from "./key-table.ts";
import { type Clock, expiryOf } from "./ttl.ts";

/** Which table, and how time is told. */
export interface SqlCacheOptions {
  /** The table, without quotes. Default: `idp_janitor_keys`. */
  readonly table?: string;
  /** Milliseconds since 1970; of all processes that share the table, about the same. Default: `Date.now`. */
  readonly clock?: Clock;
}

/**
 * A cache in a table, which all processes with the database share. The table is made by the first write that finds none;
 * until then every `get` is null. A row whose time is over stays until its key is set again: there are never more
 * rows than keys.
 *
 * @throws JanitorError `invalid_setting` for a table that cannot be, and for a store whose SQL is not SQLite's; its calls throw
 * `cache_failed`, with the store's error as the cause, and what was there is there still. Only where the connection was lost
 * (the cause is `store_unavailable`) may a value have been set all the same.
 */
export function sqlCache(store: SqlStore, options: SqlCacheOptions = {}): KeyCache {
  const { table = "idp_janitor_keys", clock = Date.now } = options;
  const sql = keyTable(store.dialect, table);

  const isMissing = async () => (await store.query(sql.exists.sql, sql.exists.params)).rows.length === 0;

  const read = async ({ sql: text, params }: Statement) => {
    try {
      return (await store.query(text, params)).rows;
    } catch (error) {
      if (await isMissing()) return [];
      throw error;
    }
  };

  /** The table is looked for only after a failure, so that a role which may not make tables can use one. */
  const write = async (statement: Statement): Promise<boolean> => {
    try {
      return (await store.batch([statement])).at(-1)?.changes === 1;
    } catch {
      // Whoever made the table meanwhile has spared us that; then it is the statement's turn again.
      const statements = (await isMissing()) ? [sql.create, statement] : [statement];
      return (await store.batch(statements)).at(-1)?.changes === 1;
    }
  };

  const could = <T>(not: string, key: string, work: () => Promise<T>): Promise<T> =>
    orFailure(`the key table \`${table}\` could not be ${not} at ${named(key)}`, "nothing was changed", work);

  return {
    get: (key) =>
      could("read", key, async () => {
        const value = (await read(sql.get(key, clock())))[0]?.[0];
        return typeof value === "string" ? value : null;
      }),

    put: (key, value, keep) =>
      could("written", key, async () => {
        await write(sql.put({ key, value, expires: expiryOf(keep, clock) }));
      }),

    add: (key, value, keep) =>
      could("written", key, () => write(sql.add({ key, value, expires: expiryOf(keep, clock) }, clock()))),
  };
}
