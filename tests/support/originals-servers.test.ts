import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Rows } from "./differences.ts";
import type { Engine } from "./engines.ts";
import { startMariadb } from "./mariadb.ts";
import { copyDatabase, oracle, readDatabase, seededDatabase } from "./originals.ts";
import {
  compareServerDatabases,
  copyServerDatabase,
  readServerDatabase,
  seededServerDatabase,
} from "./originals-servers.ts";
import { startPostgres } from "./postgres.ts";
import { query } from "./server-query.ts";

const NOW = "2026-11-23T10:20:30.123456Z";
const COMMANDS = ["remove_stale_unverified_accounts", "cleartokens"];

/** How many foreign keys there are, each of which a copy must have. */
const foreignKeysOf = (schema: string) =>
  `SELECT count(*) AS total FROM information_schema.table_constraints
   WHERE constraint_type = 'FOREIGN KEY' AND table_schema = ${schema}`;

/** The primary keys of every table, in the same words for every database. */
function keysOf(rows: Rows): Map<string, string[]> {
  const keyOf = (row: string) => {
    const { id, session_key: session } = JSON.parse(row);
    return String(id ?? session).replaceAll("-", "");
  };
  return new Map([...rows].sort().map(([table, all]) => [table, all.map(keyOf).sort()]));
}

for (const [title, start, schema] of [
  ["PostgreSQL", startPostgres, "'public'"],
  ["MariaDB", startMariadb, "database()"],
] as const) {
  describe(`the originals on ${title}`, () => {
    let engine: Engine;
    let seeded: string;
    before(async () => {
      engine = await start();
      seeded = await seededServerDatabase(engine, 1, NOW);
    });
    after(() => engine.close());

    test("the seed makes the rows that it makes on SQLite, and each original leaves the same", async () => {
      const onSqlite = await seededDatabase(1, NOW);
      assert.deepEqual(keysOf(await readServerDatabase(seeded)), keysOf(readDatabase(onSqlite)));
      for (const command of COMMANDS) {
        const [server, sqlite] = [await copyServerDatabase(engine, seeded), copyDatabase(onSqlite)];
        for (const database of [server, sqlite]) {
          await oracle(["run", "--now", NOW, command], { database });
        }
        assert.deepEqual(keysOf(await readServerDatabase(server)), keysOf(readDatabase(sqlite)), command);
      }
    });

    test("a seed is made once, another one is another, and a comparison says which rows differ", async () => {
      await compareServerDatabases(seeded, await seededServerDatabase(engine, 1, NOW));
      const [seven, eight] = [
        await seededServerDatabase(engine, 7, NOW, 10),
        await seededServerDatabase(engine, 8, NOW, 10),
      ];
      await assert.rejects(compareServerDatabases(seven, eight), /people_user\n {2}only in .*: \d+\n {4}\{"/);
    });

    test("a copy has the foreign keys, and is a database of its own", async () => {
      const copy = await copyServerDatabase(engine, seeded);
      const keys = foreignKeysOf(schema);
      const [[inCopy], [inOriginal]] = [await query(copy, keys), await query(seeded, keys)];
      assert.deepEqual(inCopy, inOriginal);
      assert.ok(Number(inCopy?.total) > 20);

      await query(copy, "UPDATE people_user SET last_login = NULL");
      await assert.rejects(compareServerDatabases(copy, seeded), /"last_login":null/);
      await query(copy, "CREATE TABLE idp_janitor_lease (id int)");
      assert.equal((await readServerDatabase(copy)).has("idp_janitor_lease"), false);
    });

    test("no number is rounded, and no instant", async () => {
      const texts = [...(await readServerDatabase(seeded)).values()].flat().join("\n");
      for (const text of [String(2n ** 60n + 1n), "2026-11-23 10:20:30.123457"]) {
        assert.ok(texts.includes(text), text);
      }
    });
  });
}
