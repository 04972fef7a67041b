/** Django's Redis cache, `django.core.cache.backends.redis.RedisCache`, read and written as Django does. */

import type { KeyCache } from "../key-cache.ts";
import type { BufferBytes, BufferConstructor } from "./buffer.ts";
import { type DjangoKeyOptions, djangoKey, djangoText, hidpKey } from "./django.ts";
import { pickleText } from "./pickle.ts";
import { keeping, type RedisSetOptions, reading, WHERE_NONE, writing } from "./redis.ts";
import { ttlOf } from "./ttl.ts";

/** The type byte `$` of Redis's protocol: replies of bytes, which a client decodes as text unless told otherwise. */
const BLOB_STRING = 36;

/** What is asked of a client that gives bytes. */
export interface RedisBytesClient {
  get(key: string): Promise<Uint8Array | null>;
  /** Resolves with null where `NX` kept it from setting. */
  set(key: string, value: BufferBytes, options: RedisSetOptions): Promise<unknown>;
}

/** What is asked of a client: one of the package `redis`, version 5 or later, has it. */
export interface DjangoRedisClient {
  /** The same connection, whose replies of this type are bytes. */
  withTypeMapping(mapping: { [BLOB_STRING]: BufferConstructor }): RedisBytesClient;
}

/**
 * A cache in the Redis of a Django deployment, with its keys and values, so that HIdP reads what {@link KeyCache.publish}
 * sets. Django's default serializer is expected, which pickles. With several servers in Django's `LOCATION`, the
 * client is one to the first, to which Django writes too.
 *
 * The client is yours to connect and to close; it stays as it is.
 */
export function djangoRedisCache(
  client: DjangoRedisClient,
  options: DjangoKeyOptions = {},
): Required<KeyCache> {
  // The global one: it is what the client itself compares with, and it is there wherever such a client is.
  const bytes = client.withTypeMapping({ [BLOB_STRING]: Buffer });

  const put: KeyCache["put"] = (plain, value, keep) => {
    const key = djangoKey(plain, options);
    return writing(key, async () => {
      await bytes.set(key, Buffer.from(pickleText(value)), keeping(ttlOf(keep)));
    });
  };

  return {
    get(plain) {
      const key = djangoKey(plain, options);
      return reading(key, async () => {
        const value = await bytes.get(key);
        return value === null ? null : djangoText(key, value);
      });
    },

    put,

    add(plain, value, keep) {
      const key = djangoKey(plain, options);
      return writing(key, async () => {
        const how = { ...keeping(ttlOf(keep)), ...WHERE_NONE };
        return (await bytes.set(key, Buffer.from(pickleText(value)), how)) !== null;
      });
    },

    publish: (provider, keySet, keep) => put(hidpKey(provider), keySet, keep),
  };
}
