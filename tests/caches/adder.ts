/** A thread that adds keys to the cache in a database file, and tells which it won. */

import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import "idp-janitor";
import { nodeSqlite } from "idp-janitor/adapters/node-sqlite";
import { sqlCache } from "idp-janitor/caches/sql";

const { path, keys } = workerData as { path: string; keys: readonly string[] };
const database = new DatabaseSync(path, { timeout: 10_000 });
const cache = sqlCache(nodeSqlite(database));
const won: string[] = [];
for (const key of keys) if (await cache.add(key, "value", { ttlSeconds: 3600 })) won.push(key);
database.close();
parentPort?.postMessage(won);
