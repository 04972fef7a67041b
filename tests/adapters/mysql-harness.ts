// A store on a real MariaDB, with a connection of mysql2 as the witness.

import type { SqlStore } from "idp-janitor";
import type { OpenedSqlStore, SqlStoreHarness } from "idp-janitor/testing";
import { createConnection } from "mysql2/promise";
import { type Engine, PASSWORD } from "../support/engines.ts";

/** Opens a store on a database. */
export type Connect = (url: string) => Promise<{ store: SqlStore; end(): Promise<void> }>;

export async function connectAdmin(engine: Engine, database: string) {
  // Values as the server writes them: a witness interprets nothing.
  const connection = await createConnection({ uri: engine.adminUrl(database), rowsAsArray: true });
  connection.on("error", () => undefined);
  return {
    connection,
    async execute(sql: string): Promise<void> {
      await connection.query(sql);
    },
    async read(sql: string): Promise<(string | null)[][]> {
      const [rows] = await connection.query({ sql, typeCast: (field) => field.string() });
      return rows as (string | null)[][];
    },
  };
}

export function mysqlHarness(
  engine: () => Engine,
  connect: Connect,
  { isOneConnection = false } = {},
): SqlStoreHarness {
  const urls = new WeakMap<OpenedSqlStore, string>();
  const urlOf = (opened: OpenedSqlStore) => urls.get(opened) ?? "";

  return {
    isOneConnection,

    async open() {
      const url = await engine().createDatabase();
      const witness = await connectAdmin(engine(), new URL(url).pathname.slice(1));
      const { store, end } = await connect(url);
      const opened: OpenedSqlStore = {
        store,
        execute: witness.execute,
        read: witness.read,
        async close() {
          await end();
          await witness.connection.end();
        },
      };
      urls.set(opened, url);
      return opened;
    },

    async lock(opened) {
      const holder = await createConnection(urlOf(opened));
      await holder.query("START TRANSACTION");
      await holder.query("SELECT id FROM things WHERE id = 1 FOR UPDATE");
      return () => holder.end();
    },

    async disconnect(opened) {
      const ids = await opened.read(
        "SELECT ID FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND USER = 'janitor'",
      );
      for (const [id] of ids) await opened.execute(`KILL ${id}`);
    },

    async readOnly(opened) {
      await opened.execute("SET GLOBAL read_only = ON");
      const { store, end } = await connect(urlOf(opened));
      return {
        store,
        async close() {
          await end();
          await opened.execute("SET GLOBAL read_only = OFF");
        },
      };
    },

    async denied(opened) {
      await opened.execute(`CREATE USER IF NOT EXISTS reader IDENTIFIED BY '${PASSWORD}'`);
      const url = new URL(urlOf(opened));
      await opened.execute(`GRANT SELECT ON \`${url.pathname.slice(1)}\`.* TO reader`);
      url.username = "reader";
      const { store, end } = await connect(url.href);
      return { store, close: end };
    },
  };
}
