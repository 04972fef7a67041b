/** What somebody who installed the package would write. */

import { DatabaseSync } from "node:sqlite";
import { createJanitor, JanitorError, type Report, selectStale } from "idp-janitor";
import { memory } from "idp-janitor/adapters/memory";
import { nodeSqlite } from "idp-janitor/adapters/node-sqlite";
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
