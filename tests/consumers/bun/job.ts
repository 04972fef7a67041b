/** What somebody who uses the package with Bun would write. */

import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import { createJanitor, listJobs, parseKeySet, selectStale } from "idp-janitor";
import { nodeSqlite } from "idp-janitor/adapters/node-sqlite";

const now = "2026-06-01T00:00:00Z";

const database = new DatabaseSync(process.argv[2] ?? ":memory:");
database.exec(`CREATE TABLE django_session (session_key varchar(40) PRIMARY KEY, expire_date datetime NOT NULL);
  INSERT INTO django_session VALUES ('old', '2026-01-01 00:00:00'), ('new', '2026-12-31 00:00:00')`);
const { removed } = await createJanitor({ store: nodeSqlite(database) }).run("clearsessions", { now });

const rows = [{ session_key: "old", expire_date: "2026-01-01T00:00:00Z" }];
const stale = selectStale("clearsessions", rows, { now }).map(({ session_key }) => session_key);

const set = `{"keys":[{"kty":"EC","crv":"P-256","kid":"one","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
  "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}`;
const usable = parseKeySet(set).keys.filter((key) => key.usable).length;

const entry = import.meta.resolve("idp-janitor");
console.log(JSON.stringify({ entry, jobs: listJobs().length, removed, stale, usable }));
