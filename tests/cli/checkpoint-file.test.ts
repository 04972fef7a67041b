import { deepEqual, equal, match, ok } from "node:assert/strict";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { assertRefused, finished, NOW, newDatabase, rows, run, snapshot, start } from "./command.ts";

const ACCOUNTS = "remove_stale_unverified_accounts";
const ARGS = ["--database", "sqlite:idp.db", "--now", NOW, "--checkpoint", "at.json"];

test("bounded runs with a checkpoint do together what one run does", async (t) => {
  const whole = newDatabase(t);
  const { selected } = JSON.parse((await run(whole, [ACCOUNTS, ...ARGS, "--json"])).stdout);
  ok(selected > 10, `${selected} stale accounts`);
  equal(existsSync(join(whole, "at.json")), false);

  const folder = newDatabase(t);
  let found = 0;
  let runs = 0;
  for (let status = 75; status === 75; runs++) {
    ok(runs < 100);
    const outcome = await run(folder, [ACCOUNTS, ...ARGS, "--json", "--max-rows", "10"]);
    status = outcome.status ?? -1;
    const report = JSON.parse(outcome.stdout);
    equal(report.complete, status === 0);
    found += report.selected;
    equal(existsSync(join(folder, "at.json")), status === 75);
    if (status === 75) {
      const database = `sqlite:${realpathSync(folder)}/idp.db`;
      deepEqual(JSON.parse(readFileSync(join(folder, "at.json"), "utf8")), {
        database,
        ...report.checkpoint,
      });
      equal(statSync(join(folder, "at.json")).mode & 0o777, 0o600);
    }
  }
  equal(found, selected);
  ok(runs > 1);
  equal(rows(folder, "people_user"), rows(whole, "people_user"));
  deepEqual(readdirSync(folder), ["idp.db"]);
});

test("a checkpoint of another job or of nothing is refused before anything is touched", async (t) => {
  const folder = newDatabase(t);
  equal((await run(folder, [ACCOUNTS, ...ARGS, "--max-rows", "1"])).status, 75);
  const checkpoint = JSON.parse(readFileSync(join(folder, "at.json"), "utf8"));
  const before = snapshot(folder);
  assertRefused(await run(folder, ["cleartokens", ...ARGS]), 2, "invalid_checkpoint", new RegExp(ACCOUNTS));
  deepEqual(snapshot(folder), before);

  const texts = ["", "{", "null", "[]", "{}", '"text"'].concat(
    [
      { ...checkpoint, version: 2 },
      { ...checkpoint, walked: undefined },
      { ...checkpoint, schema: undefined },
      { ...checkpoint, step: 99 },
      { ...checkpoint, step: -1 },
      { ...checkpoint, from: "there" },
      { ...checkpoint, now: "then" },
    ].map((value) => JSON.stringify(value)),
  );
  for (const text of texts) {
    writeFileSync(join(folder, "at.json"), text);
    const changed = snapshot(folder);
    assertRefused(await run(folder, [ACCOUNTS, ...ARGS]), 2, "invalid_checkpoint");
    deepEqual(snapshot(folder), changed, text);
  }
  writeFileSync(join(folder, "at.json"), JSON.stringify({ ...checkpoint, database: undefined }));
  assertRefused(
    await run(folder, [ACCOUNTS, ...ARGS]),
    2,
    "invalid_checkpoint",
    /does not say which database/,
  );
});

test("a checkpoint of another database is refused, and both are named", async (t) => {
  const folder = newDatabase(t);
  const copy = (name: string) => copyFileSync(join(folder, "idp.db"), join(folder, name));
  copy("copy.db");
  equal((await run(folder, [ACCOUNTS, ...ARGS, "--max-rows", "1"])).status, 75);
  const before = snapshot(folder);
  const other = [ACCOUNTS, "--database", "sqlite:copy.db", "--now", NOW, "--checkpoint", "at.json"];
  const refused = await run(folder, other);
  assertRefused(
    refused,
    2,
    "invalid_checkpoint",
    /belongs to `sqlite:\S+\/idp\.db`, not to `sqlite:\S+\/copy\.db`/,
  );
  match(refused.stderr, /nothing was changed; remove the file .* change `database` in it/);
  deepEqual(snapshot(folder), before);

  // By another name it is the same one.
  symlinkSync("idp.db", join(folder, "link.db"));
  const args = [ACCOUNTS, "--database", "sqlite:./link.db", "--now", NOW, "--checkpoint", "at.json"];
  equal((await run(folder, [...args, "--max-rows", "1"])).status, 75);

  // What the message says to do.
  const text = readFileSync(join(folder, "at.json"), "utf8");
  writeFileSync(join(folder, "at.json"), text.replace("/idp.db", "/copy.db"));
  equal((await run(folder, other)).status, 0);
});

test("a checkpoint of other tables is refused, also at the same path", async (t) => {
  const folder = newDatabase(t);
  equal((await run(folder, [ACCOUNTS, ...ARGS, "--max-rows", "1"])).status, 75);
  const database = new DatabaseSync(join(folder, "idp.db"));
  database.exec("ALTER TABLE people_user ADD COLUMN nickname varchar(50)");
  database.close();
  const before = snapshot(folder);
  assertRefused(await run(folder, [ACCOUNTS, ...ARGS]), 2, "invalid_checkpoint", /declared otherwise/);
  deepEqual(snapshot(folder), before);
});

test("a dry run neither reads nor writes nor removes the file", async (t) => {
  const folder = newDatabase(t);
  equal((await run(folder, [ACCOUNTS, ...ARGS, "--dry-run", "--max-rows", "1"])).status, 75);
  deepEqual(readdirSync(folder), ["idp.db"]);
  writeFileSync(join(folder, "at.json"), "no checkpoint");
  equal((await run(folder, [ACCOUNTS, ...ARGS, "--dry-run"])).status, 0);
  equal(readFileSync(join(folder, "at.json"), "utf8"), "no checkpoint");
});

test("a file that cannot be put there is told before the run, one that can no more after it", async (t) => {
  const folder = newDatabase(t);
  const before = snapshot(folder);
  for (const file of ["none/at.json", "idp.db/at.json"]) {
    const args = [ACCOUNTS, "--database", "sqlite:idp.db", "--now", NOW, "--checkpoint", file];
    assertRefused(await run(folder, args), 2, "invalid_setting");
    deepEqual(snapshot(folder), before);
  }
  mkdirSync(join(folder, "at.json"));
  assertRefused(await run(folder, [ACCOUNTS, ...ARGS]), 2, "invalid_checkpoint", /regular file/);
});

test("a run that fails half-way tells what it did, and keeps its checkpoint", async (t) => {
  const folder = newDatabase(t, 800);
  const args = ["cleartokens", ...ARGS, "--slice-ms", "1"];
  const child = start(folder, args);
  const holder = new DatabaseSync(join(folder, "idp.db"), { timeout: 5000 });
  t.after(() => holder.close());
  child.stdout?.once("data", () => holder.exec("BEGIN IMMEDIATE"));
  const outcome = await finished(child);
  equal(outcome.status, 1);
  match(outcome.stderr, /^idp-janitor: [^\n]+ \[store_locked\]\n$/);
  match(outcome.stdout, /--checkpoint at\.json/);
  equal(JSON.parse(readFileSync(join(folder, "at.json"), "utf8")).job, "cleartokens");

  const failed = await run(folder, [...args, "--json"]);
  equal(failed.status, 1);
  deepEqual(Object.keys(JSON.parse(failed.stdout).error), ["code", "message"]);
  ok(existsSync(join(folder, "at.json")));

  holder.exec("ROLLBACK");
  equal((await run(folder, args)).status, 0);
  deepEqual(readdirSync(folder), ["idp.db"]);
});
