import { deepEqual, equal, match } from "node:assert/strict";
import { describe, test } from "node:test";
import { assertRefused, NOW, newDatabase, run, snapshot } from "./command.ts";

const ACCOUNTS = "remove_stale_unverified_accounts";
const DATABASE = ["--database", "sqlite:idp.db"];

/** What is typed, the code that it is refused with, and words that the message must have. */
const CASES: readonly (readonly [args: readonly string[], code: string, words?: RegExp])[] = [
  [[], "unknown_job", /--help/],
  [["plan"], "unknown_job"],
  [["remove-stale-unverified-acounts"], "unknown_job", /did you mean `remove_stale_unverified_accounts`/],
  [["claertokens", ...DATABASE], "unknown_job", /did you mean `cleartokens`/],
  [["plan", "cleartoken", ...DATABASE], "unknown_job", /did you mean `cleartokens`/],
  [["remove_stale", ...DATABASE], "unknown_job", /did you mean `remove_stale_unverified_accounts`/],
  ...[
    "--max-rows=3",
    "--max-statements=99",
    "--max-seconds=3",
    "--slice-ms=50",
    "--concurrency=2",
    "--pause-ms=5",
    "--checkpoint=at.json",
    "--quiet",
  ].map(
    (flag) =>
      [["plan", ACCOUNTS, ...DATABASE, flag], "unknown_setting", /of `plan remove_stale_\w+`/] as const,
  ),
  [["cleartokens", "clearsessions", ...DATABASE], "invalid_setting", /too many arguments/],
  [[ACCOUNTS, ...DATABASE, "--dayz", "3"], "unknown_setting", /did you mean `--days`/],
  [[ACCOUNTS, ...DATABASE, "--dayz=3"], "unknown_setting", /did you mean `--days`/],
  [["cleartokens", ...DATABASE, "--days", "3"], "unknown_setting", /`--days` of `cleartokens`/],
  [["clearsessions", ...DATABASE, "--dry-run=yes"], "unknown_setting", /takes no value/],
  [["list", "--jsn"], "unknown_setting", /did you mean `--json`/],
  [["--dry-run", "cleartokens", ...DATABASE], "unknown_setting", /after its name/],
  [[ACCOUNTS, ...DATABASE, "--days"], "invalid_setting", /--days/],
  [[ACCOUNTS, ...DATABASE, "--days=-1"], "invalid_setting", /`--days` must/],
  [[ACCOUNTS, ...DATABASE, "--set", "days=-1"], "invalid_setting", /`days` must/],
  [[ACCOUNTS, ...DATABASE, "--days", "-1"], "invalid_setting"],
  [[ACCOUNTS, ...DATABASE, "--days", "1.5"], "invalid_setting"],
  [[ACCOUNTS, ...DATABASE, "--days", "abc"], "invalid_setting", /`abc`/],
  [[ACCOUNTS, ...DATABASE, "--days", ""], "invalid_setting"],
  [[ACCOUNTS, ...DATABASE, "--days", "99999999999"], "invalid_setting"],
  [[ACCOUNTS, ...DATABASE, "--days", "9".repeat(400)], "invalid_setting"],
  [[ACCOUNTS, ...DATABASE, "--set", "day=3"], "unknown_setting", /days/],
  [[ACCOUNTS, ...DATABASE, "--set", "days"], "invalid_setting", /NAME=VALUE/],
  [["cleartokens", ...DATABASE, "--set", "rules=3.3"], "invalid_setting"],
  [["cleartokens", ...DATABASE, "--set", "refreshTokenExpireSeconds=-1"], "invalid_setting"],
  [["cleartokens", ...DATABASE, "--set", "refreshTokenExpireSeconds=soon"], "invalid_setting"],
  [[ACCOUNTS, ...DATABASE, "--now", "yesterday"], "invalid_instant", /`yesterday`/],
  [[ACCOUNTS, ...DATABASE, "--now", ""], "invalid_setting"],
  [[ACCOUNTS, ...DATABASE, "--max-rows", "0"], "invalid_setting", /--max-rows/],
  [[ACCOUNTS, ...DATABASE, "--max-rows", "1.5"], "invalid_setting", /--max-rows/],
  [[ACCOUNTS, ...DATABASE, "--max-rows", "many"], "invalid_setting", /`many`/],
  [[ACCOUNTS, ...DATABASE, "--max-statements", "-3"], "invalid_setting", /--max-statements/],
  [[ACCOUNTS, ...DATABASE, "--max-seconds", "0"], "invalid_setting", /--max-seconds/],
  [[ACCOUNTS, ...DATABASE, "--slice-ms", "60001"], "invalid_setting", /60000/],
  [[ACCOUNTS, ...DATABASE, "--on-delete", "people_user=cascade"], "invalid_setting", /table\.column/],
  [[ACCOUNTS, ...DATABASE, "--on-delete", "a.b=casade"], "invalid_setting", /did you mean `cascade`/],
  [
    [ACCOUNTS, ...DATABASE, "--on-delete", "django_admin_log.userid=cascade"],
    "invalid_setting",
    /`--on-delete django_admin_log\.userid` must/,
  ],
  [[ACCOUNTS, ...DATABASE, "--user-table", "people"], "invalid_setting", /`--user-table` must/],
  [[ACCOUNTS, ...DATABASE, "--max-statements", "2"], "too_few_statements", /`--max-statements` must/],
  [[ACCOUNTS], "invalid_setting", /--database sqlite:PATH/],
  [[ACCOUNTS, "--database", "idp.db"], "invalid_setting", /write `sqlite:idp\.db`/],
  [
    [ACCOUNTS, "--database", "oracle://localhost/idp"],
    "invalid_setting",
    /`oracle:`.*sqlite:PATH.*postgres:/,
  ],
  [[ACCOUNTS, "--database", "postgres://localhost"], "invalid_setting", /names no database/],
  [[ACCOUNTS, "--database", "mysql://localhost/idp?tls=1"], "invalid_setting", /`tls`.*not known.*ssl-mode/],
  [["doctor", "--database", "postgres://localhost:x/idp"], "invalid_setting", /from 1 to 65535/],
  [["doctor"], "invalid_setting", /DATABASE_URL/],
  [["doctor", ...DATABASE, "--days", "3"], "unknown_setting", /`--days` of `doctor`/],
  [[ACCOUNTS, ...DATABASE, "--concurrency", "0"], "invalid_setting", /`--concurrency` must.* from 1 to 32/],
  [[ACCOUNTS, ...DATABASE, "--concurrency", "33"], "invalid_setting", /`--concurrency` must/],
  [
    [ACCOUNTS, ...DATABASE, "--concurrency", "2"],
    "invalid_setting",
    /`--concurrency` must be 1 on this store/,
  ],
  [[ACCOUNTS, ...DATABASE, "--pause-ms", "-1"], "invalid_setting", /`--pause-ms` must.* from 0 to 60000/],
  [[ACCOUNTS, ...DATABASE, "--pause-ms", "60001"], "invalid_setting", /`--pause-ms` must/],
  [[ACCOUNTS, "--database", "sqlite:"], "invalid_setting"],
  [[ACCOUNTS, ...DATABASE, "--config", "none.json"], "invalid_setting", /`none\.json`/],
  [[ACCOUNTS, ...DATABASE, "--config", "none.yaml"], "invalid_setting", /\.json/],
  [[ACCOUNTS, ...DATABASE, "--checkpoint", "none/at.json"], "invalid_setting", /none/],
  [[ACCOUNTS, ...DATABASE, "--checkpoint", "."], "invalid_checkpoint"],
];

describe("wrong use", { concurrency: 4 }, () => {
  for (const [args, code, words] of CASES) {
    test(`idp-janitor ${args.join(" ").slice(0, 100)}`, async (t) => {
      const folder = newDatabase(t);
      const before = snapshot(folder);
      const outcome = await run(folder, args);
      assertRefused(outcome, 2, code, words);
      deepEqual(snapshot(folder), before);
    });
  }
});

test("what looks like a secret of the prototype is an unknown name like any other", async (t) => {
  const folder = newDatabase(t);
  assertRefused(await run(folder, ["constructor", ...DATABASE]), 2, "unknown_job");
  assertRefused(await run(folder, [ACCOUNTS, ...DATABASE, "--set", "__proto__=1"]), 2, "unknown_setting");
});

test("a refusal is an object as well where --json is asked for", async (t) => {
  const folder = newDatabase(t);
  for (const args of [
    [ACCOUNTS, ...DATABASE, "--json", "--days", "-1"],
    [ACCOUNTS, "--json", "--dayz"],
  ]) {
    const { status, stdout, stderr } = await run(folder, args);
    equal(status, 2);
    const { error, ...rest } = JSON.parse(stdout);
    deepEqual(rest, {});
    equal(stderr, `idp-janitor: ${error.message} [${error.code}]\n`);
  }
});

test("IDP_JANITOR_DEBUG=1 adds the stack", async (t) => {
  const { stderr } = await run(newDatabase(t), [ACCOUNTS, ...DATABASE, "--now", `${NOW}x`], {
    IDP_JANITOR_DEBUG: "1",
  });
  match(stderr, /^idp-janitor: .*\n(.*\n)*\s+at /);
});
