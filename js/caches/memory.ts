/** A key cache in the memory of this process. */

import type { KeyCache } from "../key-cache.ts";
import { type Clock, expiryOf } from "./ttl.ts";

/** How a cache in memory tells the time. */
export interface MemoryCacheOptions {
  /** Milliseconds since 1970. Default: `Date.now`. */
  readonly clock?: Clock;
}

/** A key cache whose entries can be looked at. */
export interface MemoryCache extends KeyCache {
  /** What it holds at this moment by key, entries that nobody has dropped yet included. */
  entries(): Map<string, string>;
}

interface Entry {
  readonly value: string;
  /** Milliseconds since 1970. */
  readonly expires: number;
}

/**
 * A cache that ends with the process and is shared with no other. It has no bound but the number of keys: entries whose
 * time is over are dropped when something is set.
 *
 * @throws nothing itself; `put` and `add` throw JanitorError `invalid_setting` for a `ttlSeconds` that is none, and nothing is
 * changed then
 */
export function memoryCache(options: MemoryCacheOptions = {}): MemoryCache {
  const { clock = Date.now } = options;
  const entries = new Map<string, Entry>();

  const current = (key: string): Entry | undefined => {
    const entry = entries.get(key);
    return entry && entry.expires > clock() ? entry : undefined;
  };

  const set = (key: string, value: string, expires: number): void => {
    const now = clock();
    for (const [other, entry] of entries) if (entry.expires <= now) entries.delete(other);
    entries.set(key, { value, expires });
  };

  return {
    async get(key) {
      return current(key)?.value ?? null;
    },

    async put(key, value, keep) {
      set(key, value, expiryOf(keep, clock));
    },

    // Nothing is awaited between the look and the setting, so nobody comes between.
    async add(key, value, keep) {
      const expires = expiryOf(keep, clock);
      if (current(key)) return false;
      set(key, value, expires);
      return true;
    },

    entries: () => new Map([...entries].map(([key, { value }]) => [key, value])),
  };
}
