/** What a cache throws. */

import { JanitorError } from "../errors.ts";
import { wordsOf } from "../words.ts";

/**
 * Does the work on a driver, and tells of its failure as the one error that caches have.
 *
 * @param what what could not be done, as in "the table `x` could not be read at `key`"
 * @param outcome what has become of the cache, as in "nothing was changed"
 * @throws JanitorError `cache_failed` with the driver's error as the cause; a refused setting as it is
 */
export async function orFailure<T>(what: string, outcome: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof JanitorError && OWN.includes(error.code)) throw error;
    const message = `${what}: ${wordsOf(error)}; ${outcome}`;
    throw new JanitorError("cache_failed", message, { cause: error });
  }
}

/** Errors that say themselves what is to be said. */
const OWN: readonly string[] = ["cache_failed", "invalid_setting"];

/** A key as it stands in a message: on one line, whatever it holds. */
export function named(key: string): string {
  return JSON.stringify(key);
}
