import { rmSync } from "node:fs";
import { createDemoDatabase } from "../../demo/database.ts";
import { oracle, temporaryPath } from "../../tests/support/originals.ts";
import { startPostgres } from "../../tests/support/postgres.ts";
import { connect, query } from "../../tests/support/server-query.ts";
import { handWritten } from "../contenders.ts";
import { cpuOf } from "./cpu.ts";
import type { Engine, Fingerprint } from "./engine.ts";
import { load } from "./postgres-load.ts";

/** Durable, as a small server of somebody's own; only vacuums are not to come in some contender's way. */
const SETTINGS = {
  autovacuum: "off",
  fsync: "on",
  full_page_writes: "on",
  max_wal_size: "4GB",
  shared_buffers: "512MB",
  synchronous_commit: "on",
};

/** All but tables of our own, which are no rows of the application's. */
const TABLES = String.raw`SELECT tablename AS name FROM pg_tables
  WHERE schemaname = 'public' AND tablename NOT LIKE 'idp\_janitor\_%'`;

export async function postgres(): Promise<Engine> {
  const server = await startPostgres({ settings: SETTINGS });
  const asAdmin = (url: string) => server.adminUrl(nameOf(url));
  const home = server.adminUrl("postgres");
  const [row] = await query(
    home,
    String.raw`SELECT split_part(pg_read_file('postmaster.pid'), E'\n', 1) AS pid`,
  );
  const pid = Number(row?.pid);
  let copies = 0;
  return {
    handWritten: [handWritten("hand-written/postgres/run.ts")],
    ours: [{}, { concurrency: 2 }],
    async seed(options) {
      const url = await server.createDatabase();
      await oracle(["migrate"], { database: url });
      const rows = temporaryPath();
      createDemoDatabase(rows, options);
      await load(rows, asAdmin(url));
      rmSync(rows);
      return url;
    },
    async copy(url) {
      copies += 1;
      const name = `copy_${copies}`;
      const source = `TEMPLATE "${nameOf(url)}" STRATEGY file_copy`;
      await query(home, `CREATE DATABASE "${name}" OWNER janitor ${source}`);
      await warm(asAdmin(server.url(name)));
      return server.url(name);
    },
    fingerprint: (url) => fingerprint(asAdmin(url)),
    async remove(url) {
      await query(home, `DROP DATABASE "${nameOf(url)}" WITH (FORCE)`);
    },
    serverCpu: () => cpuOf(pid),
    close: () => server.close(),
  };
}

function nameOf(url: string): string {
  return new URL(url).pathname.slice(1);
}

/** Reads every table, whose indexes the system has in its cache since they were copied, and writes what is dirty. */
async function warm(url: string): Promise<void> {
  await eachTable(url, (table) => `SELECT count("${table}".*) FROM "${table}"`);
  await query(url, "CHECKPOINT");
}

async function fingerprint(url: string): Promise<Fingerprint> {
  const rows = await eachTable(
    url,
    (table) => `SELECT md5(string_agg(hash, '' ORDER BY hash)) AS hash
      FROM (SELECT md5("${table}"::text) AS hash FROM "${table}") AS rows`,
  );
  return new Map(rows.map(([table, row]) => [table, String(row?.hash)]));
}

/** Runs a query for every table, and gives each table with the first row. */
async function eachTable(url: string, sqlFor: (table: string) => string) {
  const connection = await connect(url);
  try {
    const results: [string, Readonly<Record<string, unknown>> | undefined][] = [];
    for (const { name } of await connection.query(TABLES)) {
      const table = String(name);
      const [row] = await connection.query(sqlFor(table));
      results.push([table, row]);
    }
    return results;
  } finally {
    await connection.end();
  }
}
