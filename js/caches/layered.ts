/** A nearer key cache in front of a farther one. */

import { JanitorError } from "../errors.ts";
import type { KeepFor, KeyCache } from "../key-cache.ts";
import { wordsOf } from "../words.ts";
import { ttlOf } from "./ttl.ts";

/** For how long the nearer cache is believed, and who is told when it fails. */
export interface LayeredCacheOptions {
  /** Seconds for which the nearer cache keeps a value at most, whole, 1 to 3600. Default 60. */
  readonly nearSeconds?: number;
  /** Told when the nearer cache fails; what it throws is ignored. Default: `console.warn`. */
  readonly onWarning?: (message: string) => void;
}

/** Longer, and the nearer cache would be the truth. */
const MAX_NEAR_SECONDS = 3600;

/**
 * A cache that reads from the nearer of two if it can, and whose truth is the farther: what is set goes there first, and
 * into the nearer one after it, so that whoever sets a value reads it back.
 *
 * A value is read up to `nearSeconds` after it was set anew elsewhere, or after its time in the farther cache was over. That
 * there is none is never kept. `add` is as atomic as that of the farther cache. A nearer cache that fails is passed over:
 * no call fails for it. A farther one that fails does so as ever, but where the nearer has the value, it is not asked.
 *
 * @param near a quick one, such as `memoryCache()` or `cacheApi(cache)`
 * @param far the one that is shared; what it publishes, it publishes alone
 * @throws JanitorError `invalid_setting` for other `nearSeconds`
 */
export function layeredCache(near: KeyCache, far: KeyCache, options: LayeredCacheOptions = {}): KeyCache {
  const { nearSeconds = 60 } = options;
  const { onWarning = (message: string) => console.warn(`idp-janitor: ${message}`) } = options;
  checkNearSeconds(nearSeconds);

  const shortly = (keep: KeepFor): KeepFor => ({ ttlSeconds: Math.min(ttlOf(keep), nearSeconds) });

  /** Null where the nearer cache fails, as where it has nothing. */
  const passable = async <T>(work: () => Promise<T>): Promise<T | null> => {
    try {
      return await work();
    } catch (error) {
      tell(onWarning, `the nearer cache of keys is passed over: ${wordsOf(error)}`);
      return null;
    }
  };

  return {
    async get(key) {
      const found = await passable(() => near.get(key));
      if (found !== null) return found;
      const value = await far.get(key);
      // Added, not put: meanwhile somebody may have set a newer one, which this one is not to replace.
      if (value !== null) await passable(() => near.add(key, value, { ttlSeconds: nearSeconds }));
      return value;
    },

    async put(key, value, keep) {
      const nearby = shortly(keep);
      await far.put(key, value, keep);
      await passable(() => near.put(key, value, nearby));
    },

    async add(key, value, keep) {
      const nearby = shortly(keep);
      if (!(await far.add(key, value, keep))) return false;
      await passable(() => near.put(key, value, nearby));
      return true;
    },

    ...(far.publish && { publish: far.publish.bind(far) }),
  };
}

function tell(onWarning: (message: string) => void, message: string): void {
  try {
    onWarning(message);
  } catch {
    // Whoever is told has lost it.
  }
}

function checkNearSeconds(seconds: number): void {
  if (Number.isSafeInteger(seconds) && seconds >= 1 && seconds <= MAX_NEAR_SECONDS) return;
  const message = `\`nearSeconds\` is ${String(seconds)}, and must be a whole number of seconds, 1 to ${MAX_NEAR_SECONDS}`;
  throw new JanitorError("invalid_setting", message);
}
