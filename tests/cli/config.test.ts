import { deepEqual, equal, match } from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { assertRefused, NOW, newDatabase, run, snapshot } from "./command.ts";

const ACCOUNTS = "remove_stale_unverified_accounts";
const CONFIG = {
  database: "sqlite:idp.db",
  now: NOW,
  dryRun: true,
  json: true,
  jobs: { [ACCOUNTS]: { days: 30 } },
};
const TEXT = JSON.stringify(CONFIG);

const KINDS = {
  "idp-janitor.config.mjs": `export default ${TEXT};\n`,
  "idp-janitor.config.ts": `const config: { database: string } = ${TEXT};\nexport default config;\n`,
  "idp-janitor.config.json": TEXT,
};

describe("kinds of configuration", { concurrency: 4 }, () => {
  for (const [name, text] of Object.entries(KINDS)) {
    test(`${name} is found in the working directory, and anywhere by --config`, async (t) => {
      const folder = newDatabase(t);
      writeFileSync(join(folder, name), text);
      const found = await run(folder, [ACCOUNTS]);
      deepEqual([found.status, found.stderr], [0, ""]);
      const report = JSON.parse(found.stdout);
      deepEqual([report.dryRun, report.cutoff], [true, "2026-05-02T00:00:00.000000Z"]);

      // Folders above are not searched: --config is the way to them.
      const below = join(folder, "below");
      mkdirSync(below);
      assertRefused(await run(below, [ACCOUNTS]), 2, "invalid_setting", /--database/);
      const named = await run(below, [ACCOUNTS, "--config", `../${name}`, "--database", "sqlite:../idp.db"]);
      equal(JSON.parse(named.stdout).cutoff, report.cutoff);
    });
  }
});

test("flags go before the configuration", async (t) => {
  const folder = newDatabase(t);
  writeFileSync(join(folder, "idp-janitor.config.json"), TEXT);
  const { stdout } = await run(folder, [ACCOUNTS, "--days", "10", "--now", "2026-05-31T00:00:00Z"]);
  const { cutoff, now } = JSON.parse(stdout);
  deepEqual([cutoff, now], ["2026-05-21T00:00:00.000000Z", "2026-05-31T00:00:00.000000Z"]);
  const real = await run(folder, [ACCOUNTS, "--no-dry-run", "--no-json"]);
  equal(real.status, 0);
  match(real.stdout, /Successfully removed \d+ unverified account\(s\)\./);
  equal((await run(folder, [ACCOUNTS, "--database", "sqlite:other.db"])).status, 1);
});

test("the first of .mjs, .ts and .json is taken", async (t) => {
  const folder = newDatabase(t);
  for (const [name, text] of Object.entries(KINDS)) writeFileSync(join(folder, name), text);
  writeFileSync(join(folder, "idp-janitor.config.mjs"), "export default { databas: 1 }");
  assertRefused(await run(folder, [ACCOUNTS]), 2, "unknown_setting", /config\.mjs/);
});

/** What the configuration says, the code that it is refused with, and words that the message must have. */
const REFUSED: readonly (readonly [text: string, code: string, words: RegExp])[] = [
  ["", "invalid_setting", /is empty/],
  ["{", "invalid_setting", /cannot be read/],
  ["[]", "invalid_setting", /a list/],
  ['{"databse":"sqlite:idp.db"}', "unknown_setting", /did you mean `database`/],
  ['{"max-rows":3}', "unknown_setting", /did you mean `maxRows`/],
  ['{"database":3}', "invalid_setting", /`database`/],
  ['{"maxRows":"3"}', "invalid_setting", /`maxRows`/],
  ['{"maxRows":0}', "invalid_setting", /`maxRows`/],
  ['{"maxSeconds":-1}', "invalid_setting", /`maxSeconds`/],
  ['{"concurrency":0}', "invalid_setting", /`concurrency` in `\S+` must be .* from 1 to 32/],
  ['{"concurrency":33}', "invalid_setting", /`concurrency` in `\S+` must be/],
  ['{"pauseMs":60001}', "invalid_setting", /`pauseMs` in `\S+` must be .* from 0 to 60000/],
  ['{"pauseMs":"5"}', "invalid_setting", /`pauseMs`/],
  ['{"dryRun":"yes"}', "invalid_setting", /true or false/],
  ['{"onDelete":{"a.b":"drop"}}', "invalid_setting", /`a\.b`/],
  ['{"onDelete":{"a":"cascade"}}', "invalid_setting", /table\.column/],
  ['{"jobs":{"cleartoken":{}}}', "unknown_job", /did you mean `cleartokens`/],
  ['{"jobs":{"cleartokens":{"rule":"3.4"}}}', "unknown_setting", /did you mean `rules`/],
  ['{"jobs":{"cleartokens":{"days":1}}}', "unknown_setting", /`days` of `cleartokens`/],
  [`{"jobs":{"${ACCOUNTS}":{"days":-1}}}`, "invalid_setting", /days/],
  [`{"jobs":{"${ACCOUNTS}":{"days":"30"}}}`, "invalid_setting", /days/],
];

describe("wrong configurations", { concurrency: 4 }, () => {
  for (const [text, code, words] of REFUSED) {
    test(`${text || "(empty)"}`, async (t) => {
      const folder = newDatabase(t);
      writeFileSync(join(folder, "idp-janitor.config.json"), text);
      const before = snapshot(folder);
      assertRefused(await run(folder, [ACCOUNTS, "--database", "sqlite:idp.db"]), 2, code, words);
      deepEqual(snapshot(folder), before);
    });
  }
});

test("refuses modules that fail, or that have nothing to say", async (t) => {
  const folder = newDatabase(t);
  for (const text of [
    "throw new Error('one\\ntwo')",
    "export const database = 1",
    "import 'nowhere'",
    "export {",
  ]) {
    writeFileSync(join(folder, "c.mjs"), text);
    writeFileSync(join(folder, "c.ts"), text);
    for (const name of ["c.mjs", "c.ts"]) {
      const outcome = await run(folder, [ACCOUNTS, "--database", "sqlite:idp.db", "--config", name]);
      assertRefused(outcome, 2, "invalid_setting", new RegExp(name));
    }
  }
});

test("a checkpoint and a user table may be configured", async (t) => {
  const folder = newDatabase(t);
  const config = { ...CONFIG, dryRun: false, maxRows: 1, checkpoint: "at.json", userTable: "people_user" };
  writeFileSync(join(folder, "idp-janitor.config.json"), JSON.stringify(config));
  equal((await run(folder, [ACCOUNTS])).status, 75);
  equal(Object.keys(snapshot(folder)).includes(join(folder, "at.json")), true);
  const other = await run(folder, [ACCOUNTS, "--user-table", "nobody", "--no-json"]);
  assertRefused(other, 2, "invalid_setting", /nobody/);
});

test("what is configured is refused by the name that it has there", async (t) => {
  const folder = newDatabase(t);
  const config = { database: "sqlite:idp.db", onDelete: { "shop.owner_id": "cascade" }, userTable: "nobody" };
  writeFileSync(join(folder, "idp-janitor.config.json"), JSON.stringify(config));
  const args = ["plan", ACCOUNTS, "--on-delete", "django_admin_log.user_id=restrict"];
  assertRefused(await run(folder, args), 2, "invalid_setting", /`onDelete\.shop\.owner_id` must be /);
  writeFileSync(join(folder, "idp-janitor.config.json"), JSON.stringify({ ...config, onDelete: {} }));
  assertRefused(await run(folder, args), 2, "invalid_setting", /`userTable` must/);
});

test("a plan is shown whatever the configuration says of runs", async (t) => {
  const folder = newDatabase(t);
  const config = {
    ...CONFIG,
    json: false,
    quiet: true,
    maxRows: 1,
    maxStatements: 1,
    checkpoint: "none/at.json",
  };
  writeFileSync(join(folder, "idp-janitor.config.json"), JSON.stringify(config));
  const { status, stdout } = await run(folder, ["plan", ACCOUNTS]);
  equal(status, 0);
  match(stdout, /^1\. people_user$/m);
});
