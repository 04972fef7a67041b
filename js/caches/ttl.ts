/** How long an entry is kept, and until when that is. */

import { JanitorError } from "../errors.ts";
import type { KeepFor } from "../key-cache.ts";

/** Tells the time: milliseconds since 1970 (UTC). */
export type Clock = () => number;

/** The last instant whose text sorts with the others: the end of the year 9999. */
const END_OF_TIME = Date.UTC(9999, 11, 31, 23, 59, 59);

/**
 * The seconds, once they are known to be some.
 *
 * @throws JanitorError `invalid_setting` unless they are whole, and 1 or more
 */
export function ttlOf({ ttlSeconds }: KeepFor): number {
  if (Number.isSafeInteger(ttlSeconds) && ttlSeconds >= 1) return ttlSeconds;
  const message = `\`ttlSeconds\` is ${String(ttlSeconds)}, and must be a whole number of seconds, 1 or more`;
  throw new JanitorError("invalid_setting", message);
}

/**
 * When the time of what is set now is over, in milliseconds since 1970; at the latest in the year 9999.
 *
 * @throws JanitorError as {@link ttlOf}
 */
export function expiryOf(options: KeepFor, clock: Clock): number {
  return Math.min(clock() + ttlOf(options) * 1000, END_OF_TIME);
}
