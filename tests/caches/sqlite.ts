/** A database file with two connections for caches, and one for a witness. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { nodeSqlite } from "idp-janitor/adapters/node-sqlite";

/** When the clock of these caches begins; not a whole second. */
export const BEGIN = Date.UTC(2026, 5, 1, 12, 0, 0, 250);

/** A fresh database file. */
export function openFile() {
  const folder = mkdtempSync(join(tmpdir(), "idp-janitor-"));
  const path = join(folder, "store.sqlite3");
  const databases = Array.from({ length: 3 }, () => new DatabaseSync(path, { timeout: 5000 }));
  const [first, second, witness] = databases as [DatabaseSync, DatabaseSync, DatabaseSync];
  let now = BEGIN;
  return {
    path,
    witness,
    stores: [nodeSqlite(first), nodeSqlite(second)] as const,
    clock: () => now,
    elapse: async (seconds: number) => {
      now += seconds * 1000;
    },
    breakDriver: async () => first.close(),
    close: async () => {
      for (const database of databases) if (database.isOpen) database.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** The value of a key in a table of caches, without any cache; null where there is no row, or no table. */
export function readRow(database: DatabaseSync, table: string, key: string): string | null {
  const there = database.prepare("SELECT 1 FROM sqlite_master WHERE name = ?").get(table);
  if (!there) return null;
  const row = database
    .prepare(`SELECT value FROM "${table.replaceAll('"', '""')}" WHERE cache_key = ?`)
    .get(key);
  return row ? String(row.value) : null;
}
