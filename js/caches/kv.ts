/** A key cache in a namespace of Cloudflare's Workers KV. */

import { JanitorError } from "../errors.ts";
import type { KeepFor, KeyCache } from "../key-cache.ts";
import { type Entry, sealed, unsealed } from "./envelope.ts";
import { named, orFailure } from "./failure.ts";
import { type Clock, expiryOf, ttlOf } from "./ttl.ts";

/** How KV is read. */
export interface KvGetOptions {
  readonly type: "text";
  readonly cacheTtl?: number;
}

/** How long KV keeps a value; without `expirationTtl`, for ever. */
export interface KvPutOptions {
  readonly expirationTtl?: number;
}

/** What is asked of a namespace: a KV binding of a Worker has it. */
export interface KvNamespace {
  get(key: string, options: KvGetOptions): Promise<string | null>;
  put(key: string, value: string, options: KvPutOptions): Promise<void>;
}

/** How keys are told from those of others, how old an answer may be, and how time is told. */
export interface KvCacheOptions {
  /** What every key begins with, up to 256 bytes. Default: empty, as the keys begin with `idp-janitor:` themselves. */
  readonly prefix?: string;
  /**
   * For how many seconds a location answers by itself after it has asked KV, whole, 30 or more: KV's own `cacheTtl`.
   * More is faster, and notices later what was set elsewhere. Default: KV's, 60.
   */
  readonly cacheTtl?: number;
  /** Milliseconds since 1970; of all Workers that share the namespace, about the same. Default: `Date.now`. */
  readonly clock?: Clock;
}

/** KV takes no shorter `expirationTtl`. */
const MIN_EXPIRATION_TTL = 60;
/** KV takes no longer one: the greatest number of its type. */
const MAX_EXPIRATION_TTL = 2 ** 31 - 1;
/** KV takes no shorter `cacheTtl`. */
const MIN_CACHE_TTL = 30;
/** KV takes no longer keys, in bytes of UTF-8. */
const MAX_KEY_BYTES = 512;
/** Leaves room for the digest of a key that is too long. */
const MAX_PREFIX_BYTES = 256;

/**
 * A cache in Workers KV, which all Workers with the namespace share, in time: what is set may be seen elsewhere a minute
 * later or more, or `cacheTtl` if that is longer; also that there is something where there was nothing. A time shorter than
 * KV's least, 60 seconds, is kept all the same; KV itself drops the entry later.
 *
 * KV has no atomic step: `add` reads, and then sets. Of several that add at once, each may be told that it did, and the last
 * one's value stays. So a cooldown is only approximate, and a provider may be asked once by every location, or isolate,
 * that finds none. A lock cannot be built on it.
 *
 * KV takes one write a second of a key, and of a free account so many a day. `put` then throws `cache_failed` and nothing
 * was changed; `add` looks again, and is false where somebody else has set a value just now. A value may have up to 25 MiB.
 *
 * @throws JanitorError `invalid_setting` for a prefix that is too long, or another `cacheTtl`
 */
export function kvCache(namespace: KvNamespace, options: KvCacheOptions = {}): KeyCache {
  const { prefix = "", cacheTtl, clock = Date.now } = options;
  checkPrefix(prefix);
  checkCacheTtl(cacheTtl);
  const how: KvGetOptions = { type: "text", ...(cacheTtl !== undefined && { cacheTtl }) };

  const read = (key: string): Promise<string | null> =>
    orFailure(`Workers KV could not be read at ${named(key)}`, "nothing was changed", async () => {
      const text = await namespace.get(await nameOf(key, prefix), how);
      return text === null ? null : unsealed(text, key, clock());
    });

  const write = async (entry: Entry, keep: KvPutOptions): Promise<void> => {
    try {
      await namespace.put(await nameOf(entry.key, prefix), sealed(entry), keep);
    } catch (error) {
      const outcome = isTooMany(error) ? TOO_MANY : "it is unknown whether the value was set";
      const what = `Workers KV could not be written at ${named(entry.key)}`;
      await orFailure(what, outcome, () => Promise.reject(error));
    }
  };

  const entryOf = (key: string, value: string, keep: KeepFor): Entry => ({
    key: prefix + key,
    value,
    expires: expiryOf(keep, clock),
  });

  return {
    get: (key) => read(prefix + key),

    async put(key, value, keep) {
      await write(entryOf(key, value, keep), lasting(keep));
    },

    async add(key, value, keep) {
      const entry = entryOf(key, value, keep);
      if ((await read(entry.key)) !== null) return false;
      try {
        await write(entry, lasting(keep));
        return true;
      } catch (error) {
        // A write within this second is most likely that of somebody who added at the same time, and was first.
        const raced = error instanceof JanitorError && isTooMany(error.cause);
        if (raced && (await read(entry.key)) !== null) return false;
        throw error;
      }
    },
  };
}

/** What KV is told. It counts from the beginning of a second, and must not end a value before its time. */
function lasting(keep: KeepFor): KvPutOptions {
  const seconds = Math.max(ttlOf(keep) + 1, MIN_EXPIRATION_TTL);
  return seconds > MAX_EXPIRATION_TTL ? {} : { expirationTtl: seconds };
}

/** The key as KV takes it: one that is too long is told from others by its digest. */
async function nameOf(key: string, prefix: string): Promise<string> {
  const bytes = new TextEncoder().encode(key);
  if (bytes.length <= MAX_KEY_BYTES) return key;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return `${prefix}sha-256:${Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

const TOO_MANY =
  "KV takes one write a second of a key, and of a free account so many a day; nothing was changed";

/** Whether KV has refused a write for there being too many: its errors have no code. */
function isTooMany(error: unknown): boolean {
  return error instanceof Error && /\b429\b|limit exceeded/i.test(error.message);
}

function checkPrefix(prefix: string): void {
  const { length } = new TextEncoder().encode(prefix);
  if (length <= MAX_PREFIX_BYTES) return;
  const message = `\`prefix\` has ${length} bytes, and must have no more than ${MAX_PREFIX_BYTES}`;
  throw new JanitorError("invalid_setting", message);
}

function checkCacheTtl(cacheTtl: number | undefined): void {
  if (cacheTtl === undefined || (Number.isSafeInteger(cacheTtl) && cacheTtl >= MIN_CACHE_TTL)) return;
  const message = `\`cacheTtl\` is ${cacheTtl}, and must be a whole number of seconds, ${MIN_CACHE_TTL} or more`;
  throw new JanitorError("invalid_setting", message);
}
