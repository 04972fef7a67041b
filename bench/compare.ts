import { DatabaseSync } from "node:sqlite";

/**
 * Compares two databases that began as copies of one file, and names the tables in which they differ. Rows keep their
 * rowid in all that the contenders do, so that each is compared with its like, in every column.
 */
export function differingTables(path: string, other: string): string[] {
  using database = new DatabaseSync(path, { readOnly: true });
  database.prepare("ATTACH ? AS other").run(other);
  const tables = database
    .prepare("SELECT name FROM main.sqlite_schema WHERE type = 'table'")
    .all()
    .map(({ name }) => String(name));
  return tables.filter((table) => {
    const rows = count(database, `SELECT count(*) AS n FROM main."${table}"`);
    const others = count(database, `SELECT count(*) AS n FROM other."${table}"`);
    return rows !== others || rows !== countSame(database, table);
  });
}

function countSame(database: DatabaseSync, table: string): number {
  const equal = database
    .prepare("SELECT name FROM pragma_table_info(?)")
    .all(table)
    .map(({ name }) => `a."${String(name)}" IS b."${String(name)}"`);
  const on = ["a._rowid_ = b._rowid_", ...equal].join(" AND ");
  return count(
    database,
    `SELECT count(*) AS n FROM main."${table}" AS a JOIN other."${table}" AS b ON ${on}`,
  );
}

function count(database: DatabaseSync, sql: string): number {
  return Number(database.prepare(sql).get()?.n);
}
