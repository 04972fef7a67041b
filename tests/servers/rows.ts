// Rows of a database as text by column, and what of them is known while others change them.

import { readServerDatabase } from "../support/originals-servers.ts";
import { canonical } from "./instants.ts";

export type Row = Readonly<Record<string, string | null>>;
/** The rows of each table by their primary keys. */
export type Rows = ReadonlyMap<string, ReadonlyMap<string, Row>>;

/** The tables whose primary key is not `id`. */
const KEYS: Readonly<Record<string, string>> = { django_session: "session_key" };

export function keyOf(table: string): string {
  return KEYS[table] ?? "id";
}

/** All rows of a database. */
export async function readRows(url: string): Promise<Rows> {
  const tables = await readServerDatabase(url);
  return new Map([...tables].map(([table, texts]) => [table, byKey(table, texts)]));
}

function byKey(table: string, texts: readonly string[]): Map<string, Row> {
  return new Map(
    texts.map((text) => {
      const row = JSON.parse(text, (_, value) =>
        typeof value === "string" ? canonical(value) : value,
      ) as Row;
      return [row[keyOf(table)] ?? "", row];
    }),
  );
}

/** What a transaction did to a row: it is new or changed in these columns, or gone. */
export interface Change {
  readonly table: string;
  readonly key: string;
  readonly set: Row | "gone";
}

/** What a database held, and what has been committed since by those who tell. */
export class Known {
  /** Every row that ever was, as it was last known. */
  readonly rows: ReadonlyMap<string, Map<string, Row>>;
  /** How many rows of each table there have been. */
  readonly #gone = new Map<string, Set<string>>();

  constructor(before: Rows) {
    this.rows = new Map([...before].map(([table, rows]) => [table, new Map(rows)]));
  }

  /** Takes in what was committed. */
  committed(changes: readonly Change[]): void {
    for (const { table, key, set } of changes) {
      const rows = this.rows.get(table);
      if (!rows) throw new Error(`there is no table ${table}`);
      if (set === "gone") this.#goneFrom(table).add(key);
      else rows.set(key, { ...rows.get(key), ...set });
    }
  }

  /** Whether somebody who told has removed it. */
  isGone(table: string, key: string): boolean {
    return this.#goneFrom(table).has(key);
  }

  #goneFrom(table: string): Set<string> {
    const keys = this.#gone.get(table) ?? new Set();
    this.#gone.set(table, keys);
    return keys;
  }
}
