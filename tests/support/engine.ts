/**
 * `node tests/support/engine.ts postgres|mariadb` starts a server, makes a database in it, prints its url as one line,
 * and lives until its standard input closes.
 */

import { startMariadb } from "./mariadb.ts";
import { startPostgres } from "./postgres.ts";

const STARTERS: Readonly<Record<string, typeof startPostgres>> = {
  postgres: startPostgres,
  mariadb: startMariadb,
};

const start = STARTERS[process.argv[2] ?? ""];
if (!start) throw new Error(`usage: engine.ts ${Object.keys(STARTERS).join("|")}`);
const engine = await start();
console.log(await engine.createDatabase());
for await (const _ of process.stdin);
await engine.close();
