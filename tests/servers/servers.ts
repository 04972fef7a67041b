// The database servers that jobs run on here, each with the adapter that a project would take.

import type { SqlStore } from "idp-janitor";
import { mysql2 } from "idp-janitor/adapters/mysql2";
import { pg } from "idp-janitor/adapters/pg";
import { createPool } from "mysql2/promise";
import { Pool } from "pg";
import type { Engine } from "../support/engines.ts";
import { startMariadb } from "../support/mariadb.ts";
import { startPostgres } from "../support/postgres.ts";

/** A kind of server. */
export interface Server {
  readonly title: "PostgreSQL" | "MariaDB";
  start(): Promise<Engine>;
  /** Opens a database with a pool of its own. */
  open(url: string): OpenedStore;
}

export interface OpenedStore {
  readonly store: SqlStore;
  end(): Promise<void>;
}

export const POSTGRES: Server = {
  title: "PostgreSQL",
  start: startPostgres,
  open(url) {
    const pool = new Pool({ connectionString: url });
    // Of a connection that is cut while nobody uses it, whoever uses one next is told.
    pool.on("error", () => {});
    return { store: pg(pool), end: () => pool.end() };
  },
};

export const MARIADB: Server = {
  title: "MariaDB",
  start: startMariadb,
  open(url) {
    const pool = createPool(url);
    return { store: mysql2(pool), end: () => pool.end() };
  },
};

export const SERVERS: readonly Server[] = [POSTGRES, MARIADB];
