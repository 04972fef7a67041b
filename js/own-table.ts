/** What the tables that hosts keep in the database of the jobs have in common. */

import { JanitorError } from "./errors.ts";
import type { SqlStore } from "./store.ts";

const REFUSALS: readonly JanitorError["code"][] = ["store_constraint", "store_failed"];

/**
 * Makes a table of ours where there is none.
 *
 * @param create the statement, a `CREATE TABLE IF NOT EXISTS`
 * @throws JanitorError with a `store_*` code; nothing was changed
 */
export async function makeTable(store: SqlStore, create: string): Promise<void> {
  const make = () => store.batch([{ sql: create, params: [] }]);
  await make().catch((error: unknown) => {
    // Of two that make it at the same moment, PostgreSQL refuses one for its own catalogue's sake, which finds it when it asks again.
    if (error instanceof JanitorError && REFUSALS.includes(error.code)) return make();
    throw error;
  });
}

/** The placeholder of a parameter, by its position from 1. */
export function placeholder({ dialect }: SqlStore, position: number): string {
  return dialect === "postgres" ? `$${position}` : "?";
}

/** The placeholders of so many parameters in a row, the first of which has a position from 1. */
export function placeholders(store: SqlStore, count: number, first = 1): string {
  return Array.from({ length: count }, (_, at) => placeholder(store, first + at)).join(", ");
}
