/** What somebody who installed the package would write. */

import { DatabaseSync } from "node:sqlite";
import { createJanitor, JanitorError, type Report, selectStale } from "idp-janitor";
import { libsql } from "idp-janitor/adapters/libsql";
import { memory } from "idp-janitor/adapters/memory";
import { mysql2 } from "idp-janitor/adapters/mysql2";
import { nodeSqlite } from "idp-janitor/adapters/node-sqlite";
import { type PgPool, pg } from "idp-janitor/adapters/pg";
import { pglite } from "idp-janitor/adapters/pglite";
import { postgresJs } from "idp-janitor/adapters/postgres";
import { sqlStoreCases } from "idp-janitor/testing";

const database = new DatabaseSync(":memory:");
database.exec(`CREATE TABLE django_session (session_key varchar(40) PRIMARY KEY, expire_date datetime NOT NULL);
  CREATE TABLE people (id integer PRIMARY KEY);
  CREATE TABLE hidp_accounts_emailchangerequest (id integer PRIMARY KEY, user_id integer REFERENCES people (id));
  INSERT INTO django_session VALUES ('old', '2026-01-01 00:00:00'), ('new', '2026-12-31 00:00:00')`);

const janitor = createJanitor({ store: nodeSqlite(database) });
const report: Report = await janitor.run("clearsessions", { now: "2026-06-01T00:00:00Z" });
console.log(JSON.stringify(report));

const rows = [{ session_key: "old", expire_date: "2026-01-01T00:00:00Z" }];
const [stale] = selectStale("clearsessions", rows, { now: new Date("2026-06-01T00:00:00Z") });
if (stale?.session_key !== "old") throw new Error("not selected");

const failure = await createJanitor({ store: memory({}) })
  .run("clearsessions")
  .catch((error: unknown) => error);
if (!(failure instanceof JanitorError) || failure.code !== "store_missing_table")
  throw new Error("not refused");

const open = () => Promise.reject(new Error("not opened"));
if (sqlStoreCases({ open }).length === 0) throw new Error("no conformance cases");

// No driver is installed here: an adapter is passed one, and its types ask for what it uses of it.
const connect = () => Promise.reject(Object.assign(new Error("refused"), { code: "ECONNREFUSED" }));
const pool: PgPool = { options: { max: 5 }, totalCount: 0, connect };
if (pg(pool).maxConcurrency !== 4) throw new Error("not one connection less than the pool has");
const refused = await createJanitor({ store: pg(pool) })
  .run("clearsessions")
  .catch((error: unknown) => error);
if (!(refused instanceof JanitorError) || refused.code !== "store_unavailable") throw new Error("not told");
const limited = mysql2({ pool: { config: { connectionLimit: 3 } }, getConnection: connect });
if (limited.maxConcurrency !== 2) throw new Error("not one connection less than the pool has");
if (![libsql, pglite, postgresJs].every((adapter) => typeof adapter === "function")) {
  throw new Error("an adapter is missing");
}
