// The foreign keys of a database, as its catalog has them.

import { type Connection, connect } from "../support/server-query.ts";

export interface ForeignKey {
  readonly table: string;
  readonly column: string;
  readonly references: string;
}

/** Those by which a row lets go of one that is removed, and stays; by all others it goes along. */
const LETTING_GO = new Set([
  "oauth2_provider_accesstoken.source_refresh_token_id",
  "oauth2_provider_refreshtoken.access_token_id",
]);

export function letsGo({ table, column }: ForeignKey): boolean {
  return LETTING_GO.has(`${table}.${column}`);
}

const CATALOGS = {
  postgres: `SELECT c.conrelid::regclass::text AS t, a.attname AS c, c.confrelid::regclass::text AS r
    FROM pg_constraint AS c JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
    WHERE c.contype = 'f'`,
  mariadb: `SELECT table_name AS t, column_name AS c, referenced_table_name AS r
    FROM information_schema.key_column_usage
    WHERE table_schema = database() AND referenced_table_name IS NOT NULL`,
};

export async function foreignKeys(connection: Connection): Promise<ForeignKey[]> {
  const rows = await connection.query(connection.isPostgres ? CATALOGS.postgres : CATALOGS.mariadb);
  return rows.map(({ t, c, r }) => ({ table: String(t), column: String(c), references: String(r) }));
}

/** The keys of a database that some row breaks, whatever the database itself believes. */
export async function brokenKeys(url: string): Promise<string[]> {
  const connection = await connect(url);
  try {
    const keys = await foreignKeys(connection);
    if (keys.length < 20) throw new Error(`the catalog tells of ${keys.length} foreign keys only`);
    const checks = keys.map(
      ({ table, column, references }) =>
        `SELECT '${table}.${column}' AS k, count(*) AS n FROM ${table} AS c LEFT JOIN ${references} AS p
         ON p.id = c.${column} WHERE c.${column} IS NOT NULL AND p.id IS NULL`,
    );
    const rows = await connection.query(checks.join(" UNION ALL "));
    return rows.filter(({ n }) => Number(n) > 0).map(({ k, n }) => `${n} row(s) break ${k}`);
  } finally {
    await connection.end();
  }
}
