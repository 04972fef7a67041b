/** A key cache in Redis, through the client of the npm package `redis`. */

import type { KeyCache } from "../key-cache.ts";
import { named, orFailure } from "./failure.ts";
import { ttlOf } from "./ttl.ts";

/**
 * How a value is set: for some seconds, and only where there is none if so wished. Clients up to version 4 know `EX` and
 * `NX`, later ones prefer the others, and each ignores in silence what it does not know. So both are given.
 */
export interface RedisSetOptions {
  /** Seconds, whole, 1 or more. */
  readonly EX: number;
  readonly expiration: { readonly type: "EX"; readonly value: number };
  readonly NX?: true;
  readonly condition?: "NX";
}

/** What is asked of a client: one of `createClient`, a pool, a cluster or a sentinel of the package `redis` has it. */
export interface RedisClient {
  /** The value, or null where there is none. */
  get(key: string): Promise<string | null>;
  /** Resolves with null where `NX` kept it from setting. */
  set(key: string, value: string, options: RedisSetOptions): Promise<unknown>;
}

/** How keys are told from those of others. */
export interface RedisCacheOptions {
  /** What every key begins with. Default: empty, as the keys begin with `idp-janitor:` themselves. */
  readonly prefix?: string;
}

/**
 * A cache in Redis, which all processes with the same Redis and prefix share. Redis itself ends what is over.
 *
 * The client is yours to connect and to close. One that is to fail at once instead of waiting while Redis is away is made
 * with `disableOfflineQueue`.
 *
 * @throws nothing itself; its calls throw JanitorError `cache_failed`. A `get` has changed nothing then; whether a `put` or `add`
 * has set the value is not known, and the value before it may be there still. `invalid_setting` for a `ttlSeconds` that is none
 * comes before anything is sent.
 */
export function redisCache(client: RedisClient, options: RedisCacheOptions = {}): KeyCache {
  const { prefix = "" } = options;

  return {
    get: (key) => reading(prefix + key, () => client.get(prefix + key)),

    put: (key, value, keep) =>
      writing(prefix + key, async () => {
        await client.set(prefix + key, value, keeping(ttlOf(keep)));
      }),

    add: (key, value, keep) =>
      writing(prefix + key, async () => {
        const reply = await client.set(prefix + key, value, { ...keeping(ttlOf(keep)), ...WHERE_NONE });
        return reply !== null;
      }),
  };
}

/** Sets only where there is none. */
export const WHERE_NONE = { NX: true, condition: "NX" } as const;

/** Sets for so many seconds. */
export function keeping(seconds: number): RedisSetOptions {
  return { EX: seconds, expiration: { type: "EX", value: seconds } };
}

/**
 * Reads from Redis.
 *
 * @throws JanitorError `cache_failed`
 */
export function reading<T>(key: string, work: () => Promise<T>): Promise<T> {
  return orFailure(`Redis could not be read at ${named(key)}`, "nothing was changed", work);
}

/**
 * Writes to Redis. Where the connection breaks before the reply, nobody knows what Redis did.
 *
 * @throws JanitorError `cache_failed`
 */
export function writing<T>(key: string, work: () => Promise<T>): Promise<T> {
  return orFailure(
    `Redis could not be written at ${named(key)}`,
    "it is unknown whether the value was set",
    work,
  );
}
