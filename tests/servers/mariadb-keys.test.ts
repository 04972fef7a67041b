/** Keys by which MariaDB can be walked, and those by which it cannot. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createJanitor, type Report } from "idp-janitor";
import { mysql2 } from "idp-janitor/adapters/mysql2";
import { createPool } from "mysql2/promise";
import type { Engine } from "../support/engines.ts";
import { startMariadb } from "../support/mariadb.ts";

let engine: Engine;
before(async () => {
  engine = await startMariadb();
});
after(() => engine.close());

/** What a dry run and a real run do to ten stale sessions with keys of a type. */
async function walk(type: string, key: string, charset = "utf8mb4"): Promise<Report[]> {
  const url = await engine.createDatabase();
  const maker = createPool(url);
  const pool = createPool(`${url}?charset=${charset}`);
  try {
    await maker.query(
      `CREATE TABLE django_session (session_key ${type} PRIMARY KEY, expire_date datetime(6) NOT NULL)`,
    );
    await maker.query(`INSERT INTO django_session SELECT ${key}, '2026-01-01' FROM seq_1_to_10`);
    const janitor = createJanitor({ store: mysql2(pool) });
    const options = { now: "2026-06-01T00:00:00Z" };
    return [
      await janitor.run("clearsessions", { ...options, dryRun: true }),
      await janitor.run("clearsessions", options),
    ];
  } finally {
    await pool.end();
    await maker.end();
  }
}

for (const [type, key, charset] of [
  ["bigint", "CAST(seq AS signed) - 5"],
  ["bigint unsigned", "18446744073709551615 - seq"],
  ["char(32)", "lpad(seq, 32, 'a')"],
  ["varchar(40) CHARACTER SET latin1", "concat('\u00e4 ''\\\\', seq)"],
  ["varchar(40) CHARACTER SET utf8mb4", "concat('\u6f22', seq)", "latin1_swedish_ci"],
  ["varchar(40) CHARACTER SET utf8mb4", "concat('\u{1f511}%_', seq)"],
  ["uuid", "uuid()"],
] as const) {
  test(`walks by ${type}, ${key}${charset ? ` over ${charset}` : ""}`, async () => {
    const [dry, real] = await walk(type, key, charset);
    assert.deepEqual(
      [dry?.selected, dry?.wouldRemove, real?.removed],
      [10, { django_session: 10 }, { django_session: 10 }],
    );
  });
}

for (const [type, key] of [
  ["binary(16)", "unhex(md5(seq))"],
  ["varbinary(40)", "unhex(sha1(seq))"],
  ["enum('j','i','h','g','f','e','d','c','b','a')", "seq"],
] as const) {
  test(`refuses to walk by ${type.slice(0, 12)}`, async () => {
    await assert.rejects(walk(type, key), {
      code: "unsupported_schema",
      message: /cannot be walked: its primary key/,
    });
  });
}
