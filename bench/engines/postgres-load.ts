// Loads the rows of a demo database into a PostgreSQL that Django has migrated.

import { DatabaseSync, type SQLOutputValue } from "node:sqlite";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import postgres from "postgres";

/** Django keeps count of its migrations in it, and the demo database has none. */
const NOT_LOADED = "django_migrations";

/** Rows travel together, because a write for each takes longer than the row. */
const ROWS_A_WRITE = 500;

/** The tables that number their rows. */
const NUMBERED = `SELECT table_name AS name FROM information_schema.columns
  WHERE table_schema = 'public' AND column_name = 'id' AND is_identity = 'YES'`;

/**
 * Replaces all rows of the database at a superuser's url by those of a SQLite file, in the order in which they were
 * inserted, then vacuums and analyzes it. What either stores as text, PostgreSQL reads as its own type: UUIDs without
 * dashes, instants in UTC, 0 and 1 for booleans.
 */
export async function load(path: string, url: string): Promise<void> {
  using source = new DatabaseSync(path, { readOnly: true });
  // The file's foreign keys have been checked: the triggers that would check them again stay off.
  const connection = { TimeZone: "UTC", session_replication_role: "replica" };
  const sql = postgres(url, { max: 1, connection, onnotice: () => {} });
  try {
    const tables = tablesOf(source);
    await sql.unsafe(`TRUNCATE ${tables.map(quoted).join(", ")}`);
    for (const table of tables) {
      const columns = columnsOf(source, table);
      const copy = sql.unsafe(`COPY ${quoted(table)} (${columns.map(quoted).join(", ")}) FROM STDIN`);
      await pipeline(Readable.from(linesOf(source, table, columns)), await copy.writable());
    }
    for (const { name } of await sql.unsafe(NUMBERED)) await sql.unsafe(continueIds(String(name)));
    await sql.unsafe("VACUUM (ANALYZE)");
    await sql.unsafe("CHECKPOINT");
  } finally {
    await sql.end();
  }
}

function tablesOf(source: DatabaseSync): string[] {
  return source
    .prepare(
      String.raw`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'`,
    )
    .all()
    .map(({ name }) => String(name))
    .filter((name) => name !== NOT_LOADED);
}

function columnsOf(source: DatabaseSync, table: string): string[] {
  return source
    .prepare("SELECT name FROM pragma_table_info(?)")
    .all(table)
    .map(({ name }) => String(name));
}

/** The rows as `COPY` takes them, some at a time. */
function* linesOf(source: DatabaseSync, table: string, columns: readonly string[]): Generator<string> {
  const rows = source.prepare(
    `SELECT ${columns.map(quoted).join(", ")} FROM ${quoted(table)} ORDER BY _rowid_`,
  );
  rows.setReturnArrays(true);
  let lines: string[] = [];
  for (const row of rows.iterate()) {
    lines.push(`${Object.values(row).map(fieldOf).join("\t")}\n`);
    if (lines.length < ROWS_A_WRITE) continue;
    yield lines.join("");
    lines = [];
  }
  yield lines.join("");
}

const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r" };

function fieldOf(value: SQLOutputValue): string {
  if (value === null) return "\\N";
  return String(value).replace(/[\\\t\n\r]/g, (character) => ESCAPES[character] ?? character);
}

/** The next id comes after those that are there. */
function continueIds(table: string): string {
  const sequence = `pg_get_serial_sequence('${quoted(table)}', 'id')`;
  return `SELECT setval(${sequence}, max(id)) FROM ${quoted(table)}`;
}

function quoted(name: string): string {
  return `"${name}"`;
}
