import { djangoDbCache } from "../../caches/django-db.ts";
import { djangoRedisCache } from "../../caches/django-redis.ts";
import { redisCache } from "../../caches/redis.ts";
import { sqlCache } from "../../caches/sql.ts";
import { JanitorError } from "../../errors.ts";
import type { KeyCache } from "../../key-cache.ts";
import { messageOf } from "../../message.ts";
import { loadDriver } from "../drivers.ts";
import { isSqliteFile, openStore } from "../open-store.ts";
import { withoutSecrets } from "../secrets.ts";
import { defined } from "../values.ts";
import { within } from "../within.ts";

/** Where keys are kept, as it was told. */
export interface CacheAddress {
  /** `sqlite:PATH`, `redis://…`, `rediss://…` or `django-db:TABLE`. */
  readonly address: string;
  readonly layout: "plain" | "django";
  /** The database of Django's cache table. */
  readonly database?: string;
  /** Django's `KEY_PREFIX`. */
  readonly keyPrefix?: string;
  /** Django's `VERSION`. */
  readonly version?: number;
}

/** A cache that was opened for the length of one command. */
export interface OpenedCache {
  readonly cache: KeyCache;
  close(): Promise<void>;
}

/** Where several machines find the same keys, without a table of their own. */
const OTHERS = "`--cache redis://HOST`, or `--cache sqlite:PATH` on one machine";

/** How long Redis may take to answer, in milliseconds. */
const PATIENCE_MS = 5000;

/**
 * Opens the cache that `--cache` names.
 *
 * @param readOnly where nothing is to be written: a database is opened so, and none is made
 * @throws JanitorError `invalid_setting` for what cannot be meant, `store_*` or `cache_failed` for what is found there
 */
export async function openCache(cache: CacheAddress, readOnly: boolean): Promise<OpenedCache> {
  const [, scheme = "", rest = ""] = /^([A-Za-z][A-Za-z0-9+.-]*):(.*)$/s.exec(cache.address) ?? [];
  const django = defined({ keyPrefix: cache.keyPrefix, version: cache.version });
  const isDjango = cache.layout === "django" || scheme === "django-db";
  if (Object.keys(django).length > 0 && !isDjango) {
    throw wrong("`--cache-prefix` and `--cache-version` are Django's: they need its layout");
  }
  switch (scheme) {
    case "sqlite": {
      if (cache.layout === "django") {
        throw wrong(
          "with the layout of Django (`--cache-layout`, `cacheLayout` in the configuration) it is `--cache django-db:TABLE`",
        );
      }
      const opened = await openStore(cache.address, { readOnly, create: !readOnly });
      return { cache: sqlCache(opened.store), close: opened.close };
    }
    case "django-db": {
      if (rest === "") throw wrong("`--cache django-db:` names no table: write `--cache django-db:TABLE`");
      if (cache.database === undefined) throw wrong("`--cache django-db:TABLE` needs `--database`");
      if (!isSqliteFile(cache.database)) {
        throw wrong(`\`--cache django-db:TABLE\` is for tables on SQLite alone so far: use ${OTHERS}`);
      }
      const opened = await openStore(cache.database, { readOnly });
      const table = djangoDbCache(opened.store, { table: rest, ...django });
      return { cache: table, close: opened.close };
    }
    case "redis":
    case "rediss":
      return openRedis(cache.address, (client) =>
        cache.layout === "django" ? djangoRedisCache(client, django) : redisCache(client),
      );
    case "postgres":
    case "postgresql":
    case "mysql":
    case "mariadb":
    case "libsql":
      throw wrong(`keys are not kept in a database server (\`--cache ${scheme}:\`) so far: use ${OTHERS}`);
    default: {
      const forms = "`sqlite:PATH`, `redis://HOST`, `rediss://HOST` or `django-db:TABLE`";
      throw wrong(`\`--cache ${withoutSecrets(cache.address)}\` is no cache that is known: write ${forms}`);
    }
  }
}

async function openRedis(
  url: string,
  make: (client: Awaited<ReturnType<typeof createRedisClient>>) => KeyCache,
): Promise<OpenedCache> {
  const client = await createRedisClient(url);
  const where = `Redis at \`${withoutSecrets(url)}\``;
  try {
    await within(PATIENCE_MS, client.connect());
  } catch (error) {
    if (client.isOpen) client.destroy();
    const message = `${where} cannot be reached: ${messageOf(error)}; nothing was changed`;
    throw new JanitorError("cache_failed", message, { cause: error });
  }
  return {
    cache: inTime(make(client), where),
    // What is to be told has been told: how the connection ends is of no account.
    close: async () => {
      await within(PATIENCE_MS, client.close()).catch(() => client.isOpen && client.destroy());
    },
  };
}

/** The same cache, which fails where it does not answer: a Redis may accept a connection and say nothing. */
function inTime(cache: KeyCache, where: string): KeyCache {
  const bounded = <T>(answer: Promise<T>): Promise<T> =>
    within(PATIENCE_MS, answer).catch((error: unknown) => {
      if (error instanceof JanitorError) throw error;
      const message = `${where} gave no answer: ${messageOf(error)}; it is unknown what it did`;
      throw new JanitorError("cache_failed", message, { cause: error });
    });
  const { publish } = cache;
  return {
    get: (key) => bounded(cache.get(key)),
    put: (key, value, keep) => bounded(cache.put(key, value, keep)),
    add: (key, value, keep) => bounded(cache.add(key, value, keep)),
    ...(publish && { publish: (provider, keySet, keep) => bounded(publish(provider, keySet, keep)) }),
  };
}

async function createRedisClient(url: string) {
  const { createClient } = await loadDriver(
    "@redis/client",
    "a cache in Redis",
    "cache_failed",
    () => import("@redis/client"),
  );
  try {
    const socket = { connectTimeout: PATIENCE_MS, reconnectStrategy: false } as const;
    // What fails at night is to be told at once, not waited for.
    const client = createClient({ url, socket, disableOfflineQueue: true });
    // Told where it is met: without a listener the process would end.
    client.on("error", () => {});
    return client;
  } catch (error) {
    throw wrong(`\`--cache ${withoutSecrets(url)}\` is no address of a Redis: ${messageOf(error)}`);
  }
}

function wrong(message: string): JanitorError {
  return new JanitorError("invalid_setting", message);
}
