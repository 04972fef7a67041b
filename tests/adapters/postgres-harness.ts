// A store on a real PostgreSQL, whatever the driver, with a client of pg as the witness.

import type { SqlStore } from "idp-janitor";
import type { OpenedSqlStore, OtherSqlStore, SqlStoreHarness } from "idp-janitor/testing";
import pg from "pg";
import { type Engine, PASSWORD } from "../support/engines.ts";

/** Opens a store on a database, whatever may be in its url. */
export type Connect = (url: string) => Promise<{ store: SqlStore; end(): Promise<void> }>;

/** Values as the server writes them: a witness interprets nothing. */
const AS_TEXT = { getTypeParser: () => (value: string) => value };

/** Far from UTC, and off by half an hour, so that no adapter gets through that gives instants as they come. */
const ZONE = "Asia/Kolkata";

export async function connectWitness(url: string) {
  const client = new pg.Client({ connectionString: url, application_name: "witness" });
  await client.connect();
  return {
    async execute(sql: string): Promise<void> {
      await client.query(sql);
    },
    async read(sql: string): Promise<(string | null)[][]> {
      const { rows } = await client.query({ text: sql, rowMode: "array", types: AS_TEXT });
      return rows;
    },
    end: () => client.end(),
  };
}

/** Ends every connection to the database of a witness, other than its own. */
export const TERMINATE = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname = current_database() AND application_name <> 'witness'`;

/** The same url with another setting of the connection. */
export function withSetting(url: string, name: string, value: string): string {
  return `${url}?options=${encodeURIComponent(`-c ${name}=${value}`)}`;
}

export function postgresHarness(
  engine: () => Engine,
  connect: Connect,
  { isOneConnection = false } = {},
): SqlStoreHarness {
  const urls = new WeakMap<OpenedSqlStore, string>();
  const urlOf = (opened: OpenedSqlStore) => urls.get(opened) ?? "";
  const other = async (url: string): Promise<OtherSqlStore> => {
    const { store, end } = await connect(url);
    return { store, close: end };
  };

  return {
    isOneConnection,

    async open() {
      const url = await engine().createDatabase();
      const witness = await connectWitness(url);
      await witness.execute(`ALTER DATABASE "${new URL(url).pathname.slice(1)}" SET timezone = '${ZONE}'`);
      const { store, end } = await connect(url);
      const opened: OpenedSqlStore = {
        store,
        execute: witness.execute,
        read: witness.read,
        async close() {
          await end();
          await witness.end();
        },
      };
      urls.set(opened, url);
      return opened;
    },

    async lock(opened) {
      const holder = await connectWitness(urlOf(opened));
      await holder.execute("BEGIN");
      await holder.execute("SELECT id FROM things WHERE id = 1 FOR UPDATE");
      return holder.end;
    },

    disconnect: (opened) => opened.execute(TERMINATE),

    readOnly: (opened) => other(withSetting(urlOf(opened), "default_transaction_read_only", "on")),

    async denied(opened) {
      const admin = await connectWitness(engine().adminUrl("postgres"));
      const [known] = await admin.read("SELECT 1 FROM pg_roles WHERE rolname = 'reader'");
      if (!known) await admin.execute(`CREATE ROLE reader LOGIN PASSWORD '${PASSWORD}'`);
      await admin.end();
      await opened.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader");
      const url = new URL(urlOf(opened));
      url.username = "reader";
      return other(url.href);
    },
  };
}
