/** Django's database cache, `django.core.cache.backends.db.DatabaseCache`, read and written as Django does. */

import { JanitorError } from "../errors.ts";
import type { KeyCache } from "../key-cache.ts";
import type { SqlStore } from "../store.ts";
import { fromBase64, toBase64 } from "./base64.ts";
import { type DjangoKeyOptions, djangoKey, djangoText, hidpKey } from "./django.ts";
import { named, orFailure } from "./failure.ts";
import { keyTable } from "./key-table.ts";
import { pickleText } from "./pickle.ts";
import { type Clock, expiryOf } from "./ttl.ts";

/** Which of Django's tables, how its keys are made, and how time is told. */
export interface DjangoDbCacheOptions extends DjangoKeyOptions {
  /** The table, Django's `LOCATION`, without quotes. */
  readonly table: string;
  /** Milliseconds since 1970. Default: `Date.now`. */
  readonly clock?: Clock;
}

/**
 * A cache in the table of a Django deployment, with its keys and values, so that HIdP reads what {@link KeyCache.publish}
 * sets, and Django's own tools see and cull the rest. Django may cull an entry before its time once the table holds more
 * than its `MAX_ENTRIES` (300 by default).
 *
 * The table is Django's: it is never made here. Its instants are UTC, which takes `USE_TZ` (Django's default) and no
 * `TIME_ZONE` of the database's own. They are whole seconds: the time of an entry is over with the second that follows.
 *
 * @throws JanitorError `invalid_setting` for a table that cannot be
 */
export function djangoDbCache(store: SqlStore, options: DjangoDbCacheOptions): Required<KeyCache> {
  const { table, clock = Date.now } = options;
  const sql = keyTable(store.dialect, table);

  /** Does the work; its failure is that of a table that is not there if it is not. */
  const could = <T>(not: string, key: string, work: () => Promise<T>): Promise<T> => {
    const what = `Django's cache table \`${table}\` could not be ${not} at ${named(key)}`;
    return orFailure(what, "nothing was changed", async () => {
      try {
        return await work();
      } catch (error) {
        const { rows } = await store.query(sql.exists.sql, sql.exists.params);
        if (rows.length > 0) throw error;
        const advice = "run `python manage.py createcachetable`; nothing was changed";
        const message = `Django's cache table \`${table}\` does not exist: ${advice}`;
        throw new JanitorError("cache_failed", message, { cause: error });
      }
    });
  };

  const row = (key: string, value: string, expires: number) => ({
    key,
    value: toBase64(pickleText(value)),
    expires: Math.ceil(expires / 1000) * 1000,
  });

  const set = (key: string, value: string, expires: number): Promise<void> =>
    could("written", key, async () => {
      await store.batch([sql.put(row(key, value, expires))]);
    });

  const put: KeyCache["put"] = async (key, value, keep) =>
    set(djangoKey(key, options), value, expiryOf(keep, clock));

  return {
    get(plain) {
      const key = djangoKey(plain, options);
      return could("read", key, async () => {
        const statement = sql.get(key, clock());
        const value = (await store.query(statement.sql, statement.params)).rows[0]?.[0];
        return typeof value === "string" ? djangoText(key, fromBase64(value)) : null;
      });
    },

    put,

    async add(plain, value, keep) {
      const key = djangoKey(plain, options);
      const expires = expiryOf(keep, clock);
      return could("written", key, async () => {
        const [result] = await store.batch([sql.add(row(key, value, expires), clock())]);
        return result?.changes === 1;
      });
    },

    publish: (provider, keySet, keep) => put(hidpKey(provider), keySet, keep),
  };
}
