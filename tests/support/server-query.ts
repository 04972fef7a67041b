// One statement on a database server, for tests that are not about a driver.

import { createConnection, type RowDataPacket } from "mysql2/promise";
import pg from "pg";

/** A row as its driver gives it. */
export type Row = Readonly<Record<string, unknown>>;

/** A connection to PostgreSQL or MariaDB, whose instants are in UTC. */
export interface Connection {
  readonly isPostgres: boolean;
  query(sql: string): Promise<readonly Row[]>;
  end(): Promise<void>;
}

/** Connects to the database at a url, `postgres://…` or `mysql://…`. */
export async function connect(url: string): Promise<Connection> {
  if (url.startsWith("postgres:")) {
    const client = new pg.Client({ connectionString: url, options: "-c timezone=UTC" });
    // A connection that is lost while nobody asks anything; whoever asks next is told.
    client.on("error", () => {});
    await client.connect();
    return {
      isPostgres: true,
      query: async (sql) => (await client.query<Row>(sql)).rows,
      end: () => client.end(),
    };
  }
  const connection = await createConnection(url);
  return {
    isPostgres: false,
    async query(sql) {
      const [rows] = await connection.query<RowDataPacket[]>(sql);
      return rows;
    },
    end: () => connection.end(),
  };
}

/** Runs one statement on a connection of its own. */
export async function query(url: string, sql: string): Promise<readonly Row[]> {
  const connection = await connect(url);
  try {
    return await connection.query(sql);
  } finally {
    await connection.end();
  }
}
