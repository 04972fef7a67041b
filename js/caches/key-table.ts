/** The SQL of a table of keys, values and instants: the one place of the caches that knows dialects. */

import { JanitorError } from "../errors.ts";
import type { SqlStore, Statement } from "../store.ts";

/** A row of the table. */
export interface KeyRow {
  readonly key: string;
  readonly value: string;
  /** The instant after which its time is over, in milliseconds since 1970. */
  readonly expires: number;
}

/** The statements on one table, whose columns are Django's: `cache_key`, `value`, `expires`. */
export interface KeyTable {
  /** Makes the table unless it is there. */
  readonly create: Statement;
  /** Gives one row where the table is there, and none where it is not. */
  readonly exists: Statement;
  /** Gives the value of a key in one column, or no row if it has none or its time is over. */
  get(key: string, now: number): Statement;
  /** Sets a row, whatever was there. */
  put(row: KeyRow): Statement;
  /** Sets a row where there is none, or one whose time is over; changes one row if it does, and none if not. */
  add(row: KeyRow, now: number): Statement;
}

/**
 * The statements on a table.
 *
 * @param table the name as it is, without quotes
 * @throws JanitorError `invalid_setting` for a name that no table can have
 */
export function keyTable(dialect: SqlStore["dialect"], table: string): KeyTable {
  if (table === "" || table.includes("\0")) {
    throw new JanitorError("invalid_setting", `\`table\` is ${JSON.stringify(table)}, which names no table`);
  }
  const statements = DIALECTS[dialect];
  if (!statements) {
    throw new JanitorError("invalid_setting", `keys are not kept in tables of ${dialect} databases yet`);
  }
  return statements(table);
}

const DIALECTS: Readonly<Partial<Record<SqlStore["dialect"], (table: string) => KeyTable>>> = { sqlite };

function sqlite(name: string): KeyTable {
  const table = `"${name.replaceAll('"', '""')}"`;
  const upsert = `INSERT INTO ${table} (cache_key, value, expires) VALUES (?, ?, ?)
    ON CONFLICT (cache_key) DO UPDATE SET value = excluded.value, expires = excluded.expires`;
  const values = ({ key, value, expires }: KeyRow) => [key, value, instant(expires)];

  return {
    create: {
      sql: `CREATE TABLE IF NOT EXISTS ${table}
        (cache_key text NOT NULL PRIMARY KEY, value text NOT NULL, expires text NOT NULL)`,
      params: [],
    },
    exists: {
      sql: "SELECT 1 FROM sqlite_master WHERE type IN ('table', 'view') AND name = ? COLLATE NOCASE",
      params: [name],
    },
    get: (key, now) => ({
      sql: `SELECT value FROM ${table} WHERE cache_key = ? AND expires >= ?`,
      params: [key, instant(now)],
    }),
    put: (row) => ({ sql: upsert, params: values(row) }),
    add: (row, now) => ({
      sql: `${upsert} WHERE ${table}.expires < ?`,
      params: [...values(row), instant(now)],
    }),
  };
}

/** An instant as Django writes it on SQLite: UTC, no zone, and no fraction where it is zero, so that text sorts. */
function instant(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace("T", " ").replace("Z", "").replace(".000", "");
}
