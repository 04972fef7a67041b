/** How a batch is said to PostgreSQL, whatever the driver. */

import { JanitorError } from "../errors.ts";
import type { SqlValue, Statement, StatementResult } from "../store.ts";
import { property } from "./failure.ts";

/** What a statement did, as the drivers tell it. */
export interface Done {
  /** The first word of the server's answer, such as `DELETE`. */
  readonly command: string | null | undefined;
  /** The number in it, if there is one. */
  readonly count: number | null | undefined;
  readonly rows: SqlValue[][];
}

/** The commands whose number counts rows that changed. */
const CHANGING: readonly string[] = ["INSERT", "UPDATE", "DELETE", "MERGE"];

/** The result of a statement. */
export function toResult({ command, count, rows }: Done): StatementResult {
  return { rows, changes: CHANGING.includes(command ?? "") ? (count ?? 0) : 0 };
}

/**
 * Whether all statements can be sent as one text. The server takes such a text for one transaction: what fails in it, the
 * check of deferred foreign keys at its end included, undoes all of it.
 */
export function isPlain(statements: readonly Statement[]): boolean {
  return statements.every(({ params }) => params.length === 0);
}

/** Statements as one text. A statement may end in a comment, which ends with its line. */
export function joined(texts: readonly string[]): string {
  return texts.join("\n;");
}

/** Tells by one row whether a transaction may write; standbys and read-only roles may not. */
export const READ_ONLY = "SHOW transaction_read_only";

/** Rejects where the answer to {@link READ_ONLY} is that it may not. */
export function refuseReadOnly(rows: readonly (readonly SqlValue[])[]): void {
  if (rows[0]?.[0] !== "on") return;
  throw new JanitorError(
    "store_read_only",
    "the database cannot be written to (transactions are read-only: a standby, or default_transaction_read_only)",
  );
}

/** Gives back every advisory lock of the connection. */
export const UNLOCK = "SELECT pg_advisory_unlock_all()";

/**
 * Whether a connection is in a transaction that somebody else began, where the driver does not tell: outside of one, what is
 * set for a transaction is gone by the next statement.
 */
export async function isInTransaction(ask: (sql: string) => Promise<SqlValue[][]>): Promise<boolean> {
  try {
    await ask("SELECT set_config('idp_janitor.probe', 'on', true)");
    const rows = await ask("SELECT current_setting('idp_janitor.probe', true)");
    return rows[0]?.[0] === "on";
  } catch (error) {
    if (property(error, "code") === FAILED_TRANSACTION) return true;
    throw error;
  }
}

/** Nothing is done in a transaction that failed until it is ended. */
const FAILED_TRANSACTION = "25P02";
