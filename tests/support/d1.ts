/** SQLite files and D1 databases: the rows of the one into the other, and out again. */

import { DatabaseSync, type SQLOutputValue } from "node:sqlite";
import type { D1Database } from "@cloudflare/workers-types";
import type { Rows } from "./differences.ts";

/** What one statement may be long, in characters; D1 takes 100 KB. */
const LONGEST = 80_000;

/** Tables that the original's database does not have. */
const OURS = [
  "d1_migrations",
  "idp_janitor_ledger",
  "idp_janitor_leases",
  "idp_janitor_parts",
  "idp_janitor_passes",
];

/** Fills the tables of a D1 database, which are those of a SQLite file, with its rows. */
export async function fillD1(path: string, database: D1Database): Promise<void> {
  using source = new DatabaseSync(path, { readOnly: true });
  const tables = source
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'")
    .all()
    .map(({ name }) => String(name));
  const inserts = tables.flatMap((table) => insertsOf(source, table));
  const all = ["PRAGMA defer_foreign_keys = ON", ...inserts];
  await database.batch(all.map((sql) => database.prepare(sql)));
}

/** Makes the tables of a SQLite file in an empty D1 database, and fills them. */
export async function loadIntoD1(path: string, database: D1Database): Promise<void> {
  using source = new DatabaseSync(path, { readOnly: true });
  const made = source
    .prepare("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid")
    .all();
  const mine = made.filter(({ name }) => !String(name).startsWith("sqlite_"));
  await database.batch(mine.map(({ sql }) => database.prepare(String(sql))));
  await fillD1(path, database);
}

/** Every row of every table, as `readDatabase` has it for a SQLite file. */
export async function readD1(database: D1Database): Promise<Rows> {
  const named =
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'";
  const names = (await database.prepare(named).raw<[string]>()).map(([name]) => name);
  const tables = names.filter((name) => !name.startsWith("_cf_") && !OURS.includes(name)).sort();
  const rows = new Map<string, readonly string[]>();
  for (const table of tables) {
    const columns = (
      await database.prepare("SELECT name FROM pragma_table_info(?)").bind(table).raw<[string]>()
    ).flat();
    // D1 rounds integers beyond 2^53.
    const exact = columns.map(
      (name) => `CASE typeof("${name}") WHEN 'integer' THEN CAST("${name}" AS TEXT) ELSE "${name}" END`,
    );
    const found = await database.prepare(`SELECT ${exact.join(", ")} FROM "${table}"`).raw();
    const entries = found.map((row) => row.map((value, at) => [columns[at], value] as const));
    rows.set(table, entries.map((row) => JSON.stringify(Object.fromEntries(row))).sort());
  }
  return rows;
}

function insertsOf(source: DatabaseSync, table: string): string[] {
  const statement = source.prepare(`SELECT * FROM "${table}"`);
  statement.setReadBigInts(true);
  const statements: string[] = [];
  const columns = statement
    .columns()
    .map(({ name }) => `"${name}"`)
    .join(", ");
  let values = "";
  for (const row of statement.iterate()) {
    const next = `(${Object.values(row).map(literalOf).join(", ")})`;
    if (values !== "" && values.length + next.length > LONGEST) {
      statements.push(`INSERT INTO "${table}" (${columns}) VALUES ${values}`);
      values = "";
    }
    values += values === "" ? next : `, ${next}`;
  }
  if (values !== "") statements.push(`INSERT INTO "${table}" (${columns}) VALUES ${values}`);
  return statements;
}

function literalOf(value: SQLOutputValue): string {
  if (value === null) return "NULL";
  if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString("hex")}'`;
  return typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : String(value);
}
