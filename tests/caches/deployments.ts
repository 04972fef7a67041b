/** Deployments of HIdP by the cache that they have, each with a cache of ours on the same place. */

import { rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { nodeSqlite } from "idp-janitor/adapters/node-sqlite";
import { djangoDbCache } from "idp-janitor/caches/django-db";
import { djangoRedisCache } from "idp-janitor/caches/django-redis";
import { temporaryPath } from "../support/originals.ts";
import { type CacheSetting, hidp } from "../support/read-keys.ts";
import type { RedisServer } from "../support/redis.ts";
import { connect } from "./redis-harness.ts";

/** What of a cache's setting is in its keys. */
export interface KeyOptions {
  readonly keyPrefix?: string;
  readonly version?: number;
}

/** One HIdP with an empty cache. */
export interface Deployment {
  readonly cache: ReturnType<typeof djangoDbCache>;
  /** Its database file. */
  readonly database: string;
  /** Django's setting of the cache. */
  readonly setting: CacheSetting;
  close(): Promise<void>;
}

const inSetting = ({ keyPrefix, version }: KeyOptions) => ({
  ...(keyPrefix === undefined ? {} : { KEY_PREFIX: keyPrefix }),
  ...(version === undefined ? {} : { VERSION: version }),
});

/** The setting of a database cache. */
export const DATABASE_CACHE = {
  BACKEND: "django.core.cache.backends.db.DatabaseCache",
  LOCATION: "hidp cache",
};

/** With `DatabaseCache`, whose table Django makes; by a clock of one's own, if one is given. */
export async function withDatabaseCache(options: KeyOptions = {}, clock = Date.now): Promise<Deployment> {
  const path = temporaryPath();
  const setting = { ...DATABASE_CACHE, ...inSetting(options) };
  await hidp(path, setting, [["create_table"]]);
  const database = new DatabaseSync(path, { timeout: 5000 });
  return {
    cache: djangoDbCache(nodeSqlite(database), { ...options, table: DATABASE_CACHE.LOCATION, clock }),
    database: path,
    setting,
    async close() {
      database.close();
      rmSync(path);
    },
  };
}

/** With `RedisCache`, on a Redis that is emptied. */
export async function withRedisCache(redis: RedisServer, options: KeyOptions = {}): Promise<Deployment> {
  const client = await connect(redis);
  await client.flushAll();
  return {
    cache: djangoRedisCache(client, options),
    database: temporaryPath(),
    setting: {
      BACKEND: "django.core.cache.backends.redis.RedisCache",
      LOCATION: redis.url,
      ...inSetting(options),
    },
    close: async () => client.destroy(),
  };
}
