// MariaDB has no statement that copies a database.

import type { Connection, RowDataPacket } from "mysql2/promise";

/** Makes every table of a database in another one too, with its foreign keys, and every row. */
export async function copyTables(connection: Connection, from: string, to: string): Promise<void> {
  await connection.query(`USE \`${to}\``);
  // Any order will do.
  await connection.query("SET foreign_key_checks = 0, unique_checks = 0");
  for (const table of await tablesOf(connection, from)) {
    // `CREATE TABLE … LIKE` would leave the foreign keys out.
    const [[made]] = await connection.query<RowDataPacket[]>(`SHOW CREATE TABLE \`${from}\`.\`${table}\``);
    await connection.query(String(made?.["Create Table"]));
    await connection.query(`INSERT INTO \`${table}\` SELECT * FROM \`${from}\`.\`${table}\``);
  }
}

async function tablesOf(connection: Connection, database: string): Promise<string[]> {
  const [rows] = await connection.query<RowDataPacket[]>(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = ? AND table_type = 'BASE TABLE'",
    [database],
  );
  return rows.map(({ name }) => String(name));
}
