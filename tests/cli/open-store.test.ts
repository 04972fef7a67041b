import { deepEqual, equal, ok } from "node:assert/strict";
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";
import { assertRefused, finished, NOW, newDatabase, newFolder, run, snapshot, start } from "./command.ts";

const ACCOUNTS = "remove_stale_unverified_accounts";

/** What stands where the database should be, the code, and words that the message must have. */
const CASES: readonly (readonly [what: string, make: (path: string) => void, code: string, words: RegExp])[] =
  [
    ["nothing", () => {}, "store_missing", /no database at .*idp\.db/],
    ["a directory", (path) => mkdirSync(path), "store_not_a_database", /is a directory/],
    ["an empty file", (path) => writeFileSync(path, ""), "store_not_a_database", /is empty/],
    ["a short text", (path) => writeFileSync(path, "no\n"), "store_not_a_database", /not an SQLite database/],
    [
      "a text",
      (path) => writeFileSync(path, "not SQLite\n".repeat(500)),
      "store_not_a_database",
      /`\S+\/idp\.db` cannot be opened: .*not an SQLite database.*; nothing was changed/,
    ],
    ["an empty database", (path) => execute(path, "PRAGMA user_version = 1"), "not_this_schema", /./],
    ["somebody else's", (path) => execute(path, "CREATE TABLE notes (text)"), "not_this_schema", /./],
  ];

describe("what is no database", { concurrency: 4 }, () => {
  for (const [what, make, code, words] of CASES) {
    for (const args of [[ACCOUNTS], [ACCOUNTS, "--dry-run"], ["plan", ACCOUNTS]]) {
      test(`refuses ${what}: ${args.join(" ")}`, async (t) => {
        const folder = newFolder(t);
        make(join(folder, "idp.db"));
        const before = snapshot(folder);
        const outcome = await run(folder, [...args, "--database", "sqlite:idp.db"]);
        assertRefused(outcome, 1, code, words);
        deepEqual(snapshot(folder), before);
      });
    }
  }
});

test("a database that cannot be written to is refused, and counted all the same", async (t) => {
  const folder = newDatabase(t);
  // A file format of the future: SQLite reads it and does not write it, root or not.
  const file = openSync(join(folder, "idp.db"), "r+");
  writeSync(file, Uint8Array.of(3), 0, 1, 18);
  closeSync(file);
  const before = snapshot(folder);
  const args = [ACCOUNTS, "--database", "sqlite:idp.db", "--now", NOW];
  const outcome = await run(folder, args);
  assertRefused(outcome, 1, "store_read_only");
  equal((await run(folder, [...args, "--dry-run"])).status, 0);
  deepEqual(snapshot(folder), before);
});

describe("locks", { concurrency: 4 }, () => {
  for (const [lock, args] of [
    ["EXCLUSIVE", [ACCOUNTS]],
    ["EXCLUSIVE", [ACCOUNTS, "--dry-run"]],
    ["IMMEDIATE", [ACCOUNTS]],
  ] as const) {
    test(`waits some seconds for a lock, then gives up: ${lock}, ${args.join(" ")}`, async (t) => {
      const folder = newDatabase(t);
      const holder = new DatabaseSync(join(folder, "idp.db"));
      t.after(() => holder.close());
      holder.exec(`BEGIN ${lock}`);
      const began = performance.now();
      const outcome = await run(folder, [...args, "--database", "sqlite:idp.db", "--now", NOW]);
      const seconds = (performance.now() - began) / 1000;
      assertRefused(outcome, 1, "store_locked", /; nothing was changed \[/);
      ok(seconds > 2 && seconds < 30, `${seconds} s`);
      holder.exec("ROLLBACK");
      equal((await run(folder, [...args, "--database", "sqlite:idp.db", "--now", NOW])).status, 0);
    });
  }
});

test("a lock that is given up in time is waited for", async (t) => {
  const folder = newDatabase(t);
  const holder = new DatabaseSync(join(folder, "idp.db"));
  t.after(() => holder.close());
  holder.exec("BEGIN EXCLUSIVE");
  const child = start(folder, [ACCOUNTS, "--database", "sqlite:idp.db", "--now", NOW], {
    NODE_OPTIONS: `--import=${new URL("first-statement.ts", import.meta.url)}`,
  });
  // What it tells is that it is about to ask for the lock; half a second later it has.
  child.stderr?.once("data", () => setTimeout(() => holder.exec("ROLLBACK"), 500));
  const { status, stderr } = await finished(child);
  equal(status, 0, stderr);
  const waited = Number(/^waited (\d+) ms$/m.exec(stderr)?.[1]);
  ok(waited > 50, stderr);
});

test("a dry run and a plan change no byte, with a write-ahead log too", async (t) => {
  const folder = newDatabase(t);
  execute(join(folder, "idp.db"), "PRAGMA journal_mode = WAL");
  const before = readFileSync(join(folder, "idp.db"));
  for (const args of [
    [ACCOUNTS, "--dry-run"],
    ["plan", ACCOUNTS],
    ["cleartokens", "--dry-run"],
  ]) {
    equal((await run(folder, [...args, "--database", "sqlite:idp.db", "--now", NOW])).status, 0);
    ok(before.equals(readFileSync(join(folder, "idp.db"))));
  }
});

test("a path may have any characters", async (t) => {
  const folder = newDatabase(t);
  const name = "a b?mode=memory#%41 é.db";
  renameSync(join(folder, "idp.db"), join(folder, name));
  equal((await run(folder, [ACCOUNTS, "--database", `sqlite:${name}`, "--now", NOW])).status, 0);
  deepEqual(Object.keys(snapshot(folder)), [join(folder, name)]);
});

function execute(path: string, sql: string): void {
  const db = new DatabaseSync(path);
  db.exec(sql);
  db.close();
}
