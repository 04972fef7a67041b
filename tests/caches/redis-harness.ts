/** Caches on a real Redis, each case on one of its databases that is empty. */

import { setTimeout as sleep } from "node:timers/promises";
import { createClient, RESP_TYPES } from "@redis/client";
import type { KeyCache } from "idp-janitor";
import type { RedisServer } from "../support/redis.ts";

/** A connection to a Redis, which gives up at once where it breaks. */
export async function connect({ url }: RedisServer) {
  const client = createClient({ url, disableOfflineQueue: true, socket: { reconnectStrategy: false } });
  // Without a listener, a broken connection would end the process.
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

/** A connection to a Redis. */
export type Client = Awaited<ReturnType<typeof connect>>;

/** How the bytes of a witness become text, and under which key it looks. */
interface Kind {
  cache(client: Client): KeyCache;
  toKey(key: string): string;
  toText(bytes: Buffer): string;
  toPublished?(provider: string): string;
}

/** Opens two caches and a witness on an emptied Redis. */
export async function openOnRedis(server: RedisServer, { cache, toKey, toText, toPublished }: Kind) {
  const clients = await Promise.all([connect(server), connect(server), connect(server)]);
  const [first, second, witness] = clients;
  await witness.flushAll();
  const bytes = witness.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  const at = async (key: string) => {
    const value = await bytes.get(key);
    return value === null ? null : toText(value);
  };
  return {
    cache: cache(first),
    peer: cache(second),
    read: (key: string) => at(toKey(key)),
    ...(toPublished ? { readPublished: (provider: string) => at(toPublished(provider)) } : {}),
    elapse: (seconds: number) => sleep(seconds * 1000),
    breakDriver: async () => first.destroy(),
    close: async () => {
      for (const client of clients) if (client.isOpen) client.destroy();
    },
  };
}
