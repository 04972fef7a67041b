import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import type { Engine } from "./engines.ts";
import { startMariadb } from "./mariadb.ts";
import { startPostgres } from "./postgres.ts";
import { connect, query } from "./server-query.ts";

const ENGINES = [
  {
    name: "postgres",
    start: startPostgres,
    variable: "POSTGRES_BIN",
    show: (setting: string) => `SHOW ${setting}`,
    setting: { work_mem: "7MB" },
    folder: "data_directory",
  },
  {
    name: "mariadb",
    start: startMariadb,
    variable: "MARIADB_BIN",
    show: (setting: string) => `SELECT @@${setting}`,
    setting: { lock_wait_timeout: "77" },
    folder: "datadir",
  },
] as const;

const PROGRAM = join(import.meta.dirname, "engine.ts");

for (const { name, start, variable, show, setting, folder } of ENGINES) {
  describe(`a ${name} of the test's own`, () => {
    let engine: Engine;
    before(async () => {
      engine = await start({ settings: setting });
    });
    after(() => engine.close());

    test("gives databases that janitor owns, and takes settings", async () => {
      const [one, two] = [await engine.createDatabase(), await engine.createDatabase()];
      assert.notEqual(one, two);
      await query(one, "CREATE TABLE things (id int)");
      assert.deepEqual(await query(one, "SELECT * FROM things"), []);
      await assert.rejects(query(two, "SELECT * FROM things"));
      const [[asked, value] = ["", ""]] = Object.entries(setting);
      assert.equal(await shown(one, show(asked)), value);
    });

    test("lets nobody in with another password, and janitor not everywhere", async () => {
      const url = await engine.createDatabase();
      await assert.rejects(query(url.replace(":secret@", ":other@"), "SELECT 1"), /password|denied/);
      await assert.rejects(query(url, "CREATE DATABASE another"), /denied/);
      await query(engine.adminUrl(new URL(url).pathname.slice(1)), "SELECT 1");
    });

    test("ends its connections at a restart, and keeps what was committed", async () => {
      const url = await engine.createDatabase();
      await query(url, "CREATE TABLE things (id int)");
      await query(url, "INSERT INTO things VALUES (1)");
      const connection = await connect(url);
      await connection.query("BEGIN");
      await connection.query("INSERT INTO things VALUES (2)");
      await engine.restart();
      await assert.rejects(connection.query("SELECT 1"));
      assert.deepEqual(await query(url, "SELECT id FROM things"), [{ id: 1 }]);
    });

    test("says what is to be done where there is none", async () => {
      const environment = { ...process.env, [variable]: "/nowhere/at/all" };
      const run = promisify(execFile)(process.execPath, [PROGRAM, name], { env: environment });
      await assert.rejects(run, /nowhere/);
    });
  });

  test(`the program gives a ${name} until its input closes`, async () => {
    const program = spawn(process.execPath, [PROGRAM, name], { stdio: ["pipe", "pipe", "inherit"] });
    const [url] = await once(createInterface({ input: program.stdout }), "line");
    const data = await shown(String(url).replace("janitor:", "admin:"), show(folder));
    assert.ok(existsSync(data), data);
    program.stdin.end();
    assert.deepEqual(await once(program, "exit"), [0, null]);
    assert.ok(!existsSync(data), data);
    await assert.rejects(query(url, "SELECT 1"), /ECONNREFUSED/);
  });
}

test("there are no other engines", async () => {
  const run = promisify(execFile)(process.execPath, [PROGRAM, "oracle"]);
  await assert.rejects(run, /usage: engine\.ts postgres\|mariadb/);
});

/** The one value of the one row. */
async function shown(url: string, sql: string): Promise<string> {
  const [row] = await query(url, sql);
  return Object.values(row ?? {}).join();
}
