/** What SQLite's failures mean to whoever runs a job, by its result codes, whatever the driver. */

import { type ErrorCode, JanitorError } from "../errors.ts";
import { wordsOf } from "../words.ts";

/** SQLite's primary result codes. */
const CODES: Readonly<Record<number, { code: ErrorCode; what: string }>> = {
  5: { code: "store_locked", what: "the database is locked by somebody else" },
  6: { code: "store_locked", what: "a table of the database is locked by somebody else" },
  8: { code: "store_read_only", what: "the database cannot be written to" },
  11: { code: "store_not_a_database", what: "the database file is damaged" },
  14: { code: "store_missing", what: "the database file cannot be opened" },
  19: { code: "store_constraint", what: "the database refused the removal by a constraint" },
  26: { code: "store_not_a_database", what: "the file is not an SQLite database" },
};

/** The primary result codes by name, which is all that servers tell. */
const NAMES: Readonly<Record<string, number>> = {
  BUSY: 5,
  LOCKED: 6,
  READONLY: 8,
  CORRUPT: 11,
  CANTOPEN: 14,
  CONSTRAINT: 19,
  NOTADB: 26,
};

/** The primary result code of a name without its `SQLITE_`; 0 where it is none that we tell from others. */
export function codeOfName(name: string): number {
  return NAMES[name] ?? 0;
}

/** SQLITE_READONLY_RECOVERY and SQLITE_READONLY_ROLLBACK: what a killed writer left needs a writer to be undone. */
const UNFINISHED_WRITE = [264, 776];

/**
 * A driver's error as a {@link JanitorError}.
 *
 * @param code SQLite's result code, primary or extended; 0 where the error is not SQLite's
 */
export function sqliteFailure(error: unknown, code: number): JanitorError {
  const message = wordsOf(error);
  if (UNFINISHED_WRITE.includes(code)) {
    const what =
      "somebody died while writing to the database, and it cannot be read until a real run (or any writer) has undone that";
    return new JanitorError("store_read_only", what, { cause: error });
  }
  const known = CODES[code & 0xff];
  if (!known) return new JanitorError("store_failed", `the database failed: ${message}`, { cause: error });
  return new JanitorError(known.code, `${known.what} (${message})`, { cause: error });
}
