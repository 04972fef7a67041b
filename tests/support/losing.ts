/** Stores that lose the answers to slices which have taken effect, as a connection does that breaks after the commit. */

import type { SqlStore } from "idp-janitor";

/**
 * The store, but for what is done after a slice with a ledger that was committed.
 *
 * @param after what comes then: what it throws is what the run sees; given the number of the slice, from 1
 */
export function losing(store: SqlStore, after: (slice: number) => void | Promise<void>): SqlStore {
  let slices = 0;
  return {
    ...store,
    async batch(statements) {
      const results = await store.batch(statements);
      if (!statements.some(({ sql }) => /INSERT INTO \S*idp_janitor_ledger/.test(sql))) return results;
      slices += 1;
      await after(slices);
      return results;
    },
  };
}
