// Reads the keys of one provider with a cache in a table that other processes have too, and prints, as JSON, their ids
// and what a person would have been told. Arguments: the database file, and the address of the key set.

import { DatabaseSync } from "node:sqlite";
import { createKeys } from "idp-janitor";
import { nodeSqlite } from "idp-janitor/adapters/node-sqlite";
import { sqlCache } from "idp-janitor/caches/sql";

const [file = "", jwksUri = ""] = process.argv.slice(2);
const database = new DatabaseSync(file, { timeout: 5000 });
const warnings: string[] = [];
const keys = createKeys({
  providers: { acme: { jwksUri } },
  cache: sqlCache(nodeSqlite(database)),
  onWarning: (message) => void warnings.push(message),
});
const { jwks } = await keys.get("acme");
console.log(JSON.stringify({ kids: jwks.keys.map((key) => Reflect.get(key, "kid")), warnings }));
database.close();
