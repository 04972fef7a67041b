// The database servers that jobs are tested on.

import type { SqlStore } from "idp-janitor";
import { mysql2 } from "idp-janitor/adapters/mysql2";
import { pg } from "idp-janitor/adapters/pg";
import { createPool } from "mysql2/promise";
import { Pool } from "pg";
import type { Engine } from "./engines.ts";
import { startMariadb } from "./mariadb.ts";
import { startPostgres } from "./postgres.ts";

/** A database server, and how a job gets at a database of it. */
export interface Server {
  readonly title: string;
  start(): Promise<Engine>;
  /** A store on a pool of its own. */
  open(url: string): { store: SqlStore; end(): Promise<void> };
}

export const SERVERS: readonly Server[] = [
  {
    title: "PostgreSQL",
    start: startPostgres,
    open(url) {
      const pool = new Pool({ connectionString: url });
      return { store: pg(pool), end: () => pool.end() };
    },
  },
  {
    title: "MariaDB",
    start: startMariadb,
    open(url) {
      const pool = createPool(url);
      return { store: mysql2(pool), end: () => pool.end() };
    },
  },
];
