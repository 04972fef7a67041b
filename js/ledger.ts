/** What runs have done, written down in the database by their own slices (`RunOptions.ledger`). */

import { makeTable, placeholder } from "./own-table.ts";
import type { SqlStore } from "./store.ts";

/** What a run has done, however often it was killed and begun again. */
export interface LedgerTotals {
  /** Rows removed, by table, dependants included. */
  readonly removed: Readonly<Record<string, number>>;
  /** How often rows let go of one that went, by table. */
  readonly changed: Readonly<Record<string, number>>;
}

/** The ledgers of a store. */
export interface Ledger {
  /**
   * Adds up what a run has written down.
   *
   * @throws JanitorError with a `store_*` code
   */
  read(run: string): Promise<LedgerTotals>;
  /**
   * Removes what a run has written down. Asked again it does nothing.
   *
   * @throws JanitorError with a `store_*` code; nothing was changed
   */
  forget(run: string): Promise<void>;
}

const CREATE = `CREATE TABLE IF NOT EXISTS idp_janitor_ledger
  (run VARCHAR(100) NOT NULL, purpose VARCHAR(20) NOT NULL, tbl VARCHAR(128) NOT NULL, counted BIGINT NOT NULL)`;

/**
 * Opens the ledgers of a store, in its table `idp_janitor_ledger`, which is made where there is none.
 *
 * @throws JanitorError with a `store_*` code; nothing was changed
 */
export async function openLedger(store: SqlStore): Promise<Ledger> {
  await makeTable(store, CREATE);
  const ofRun = `run = ${placeholder(store, 1)}`;
  return {
    async read(run) {
      const sql = `SELECT purpose, tbl, sum(counted) FROM idp_janitor_ledger WHERE ${ofRun} GROUP BY purpose, tbl`;
      const totals = { removed: {} as Record<string, number>, changed: {} as Record<string, number> };
      for (const [purpose, table, counted] of (await store.query(sql, [run])).rows) {
        const counts = purpose === "delete" ? totals.removed : totals.changed;
        counts[String(table)] = (counts[String(table)] ?? 0) + Number(counted);
      }
      return totals;
    },

    async forget(run) {
      await store.batch([{ sql: `DELETE FROM idp_janitor_ledger WHERE ${ofRun}`, params: [run] }]);
    },
  };
}
