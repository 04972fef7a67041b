// Reads a database of PostgreSQL or MariaDB as text, so that no driver rounds what it holds.

import { type Connection, connect } from "./server-query.ts";

/** Tables of our own are no rows of the application's. */
const OURS = "idp_janitor_";

/** Every row of every table: JSON with every value as text or null, sorted. */
export async function readServerDatabase(url: string): Promise<Map<string, string[]>> {
  const connection = await connect(url);
  try {
    const tables = new Map<string, string[]>();
    for (const [table, columns] of await columnsByTable(connection)) {
      const rows = await connection.query(selectTexts(connection, table, columns));
      tables.set(table, rows.map((row) => JSON.stringify(row)).sort());
    }
    return tables;
  } finally {
    await connection.end();
  }
}

function selectTexts({ isPostgres }: Connection, table: string, columns: readonly string[]): string {
  const quote = (name: string) => (isPostgres ? `"${name}"` : `\`${name}\``);
  const type = isPostgres ? "text" : "char";
  const texts = columns.map((name) => `CAST(${quote(name)} AS ${type}) AS ${quote(name)}`);
  return `SELECT ${texts.join(", ")} FROM ${quote(table)}`;
}

/** The columns of each table in their order. */
async function columnsByTable(connection: Connection): Promise<Map<string, string[]>> {
  const schema = connection.isPostgres ? "'public'" : "database()";
  const rows = await connection.query(
    `SELECT table_name AS t, column_name AS c FROM information_schema.columns
     JOIN information_schema.tables USING (table_schema, table_name)
     WHERE table_schema = ${schema} AND table_type = 'BASE TABLE' ORDER BY table_name, ordinal_position`,
  );
  const tables = new Map<string, string[]>();
  for (const { t, c } of rows) {
    const table = String(t);
    if (!table.startsWith(OURS)) tables.set(table, [...(tables.get(table) ?? []), String(c)]);
  }
  return tables;
}
