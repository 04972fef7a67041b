// `idp-janitor doctor`: what it finds, how it says so, and what it ends with.

import { deepEqual, doesNotMatch, equal, match, ok } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";
import type { Dependant, Diagnosis } from "idp-janitor";
import { doctorLines } from "../../pkg/cli/doctor-text.js";
import { assertRefused, newDatabase, newFolder, run, snapshot } from "./command.ts";

const JOBS = [
  "remove_stale_unverified_accounts",
  "remove_complete_and_stale_email_change_requests",
  "cleartokens",
  "clearsessions",
];
const DOCTOR = ["doctor", "--database", "sqlite:idp.db"];

function execute(folder: string, sql: string): void {
  const db = new DatabaseSync(join(folder, "idp.db"));
  db.exec(sql);
  db.close();
}

test("a database on which every job can run is told of with 0, and not a byte of it changes", async (t) => {
  const folder = newDatabase(t);
  const before = snapshot(folder);
  const { status, stdout, stderr } = await run(folder, DOCTOR);
  deepEqual([status, stderr], [0, ""]);
  match(stdout, /^server +SQLite \d/);
  match(stdout, /^database +sqlite:\/\S+\/idp\.db$/m);
  match(stdout, /^schema +HIdP/m);
  match(stdout, /^users in +people_user$/m);
  match(stdout, /^ {2}people_user.*\n( {4}<- .*\n)* {4}<- django_admin_log\.user_id +cascade +by preset$/m);
  for (const job of JOBS) match(stdout, new RegExp(`^${job}: ready\n  \\S`, "m"));
  doesNotMatch(stdout, /Without an index|Nobody says|NOT READY/);
  for (const line of stdout.split("\n")) ok(line.length <= 100, line);
  deepEqual(snapshot(folder), before);
});

test("--json prints the diagnosis alone", async (t) => {
  const folder = newDatabase(t);
  const { status, stdout, stderr } = await run(folder, [...DOCTOR, "--json"]);
  deepEqual([status, stderr], [0, ""]);
  const diagnosis: Diagnosis = JSON.parse(stdout);
  deepEqual(Object.keys(diagnosis).sort(), [
    ...[
      "jobs",
      "missingIndexes",
      "product",
      "server",
      "tables",
      "unknownReferences",
      "userTable",
      "warnings",
    ],
  ]);
  deepEqual(
    diagnosis.jobs.map(({ job, ready }) => [job, ready]),
    JOBS.map((job) => [job, true]),
  );
});

test("a column of which nobody says anything ends with 1, and the flag that it takes is told", async (t) => {
  const folder = newDatabase(t);
  execute(
    folder,
    "CREATE TABLE forum_post (id integer PRIMARY KEY, author_id char(32) REFERENCES people_user (id))",
  );
  const unknown = await run(folder, DOCTOR);
  deepEqual([unknown.status, unknown.stderr], [1, ""]);
  match(unknown.stdout, /^remove_stale_unverified_accounts: NOT READY$/m);
  match(unknown.stdout, /^cleartokens: ready$/m);
  match(
    unknown.stdout,
    /^Nobody says .*\n {2}forum_post\.author_id -> people_user\n {4}--on-delete forum_post\.author_id=cascade\n$/m,
  );

  const told = await run(folder, [...DOCTOR, "--on-delete", "forum_post.author_id=set-null"]);
  equal(told.status, 0);
  match(told.stdout, /^ {4}<- forum_post\.author_id +set-null +by settings$/m);
  match(
    told.stdout,
    /^Without an index .*\n {2}forum_post\.author_id -> people_user\n {4}CREATE INDEX .*\n$/m,
  );
});

test("the flag is one that a shell takes, whatever the names", async (t) => {
  const folder = newDatabase(t);
  execute(
    folder,
    `CREATE TABLE "Bob's Log" (id integer PRIMARY KEY, "The User" char(32) REFERENCES people_user (id))`,
  );
  const { status, stdout } = await run(folder, DOCTOR);
  equal(status, 1);
  const [flag = ""] = /--on-delete '.*'$/m.exec(stdout) ?? [];
  const words = execFileSync("sh", ["-c", `printf '%s\\n' ${flag}`], { encoding: "utf8" }).split("\n");
  deepEqual(words, ["--on-delete", "Bob's Log.The User=cascade", ""]);
  equal((await run(folder, [...DOCTOR, ...words.slice(0, 2)])).status, 0);
});

test("a job whose tables are not there is no defect, and a database without any is", async (t) => {
  const folder = newDatabase(t);
  execute(folder, "DROP TABLE django_session");
  const some = await run(folder, DOCTOR);
  deepEqual([some.status, some.stderr], [0, ""]);
  match(some.stdout, /^clearsessions: not for this database\n {2}.*no table `django_session`$/m);
  match(some.stdout, /^cleartokens: ready$/m);

  const other = newFolder(t);
  execute(other, "CREATE TABLE notes (text)");
  const none = await run(other, DOCTOR);
  deepEqual([none.status, none.stderr], [1, ""]);
  match(none.stdout, /^None of the tables of the jobs is there\.$/m);
  match(none.stdout, /^schema +none that is known\n/m);
});

test("a job whose tables are there and cannot be worked on is a defect", async (t) => {
  const keep = "CREATE TRIGGER keep BEFORE DELETE ON people_user BEGIN SELECT RAISE(IGNORE); END";
  const notes = (more: string) =>
    `CREATE TABLE notes (id integer PRIMARY KEY, user_id char(32) NOT NULL REFERENCES people_user (id)${more})`;
  const noted = "notes.user_id";
  const cases: readonly (readonly [sql: string, flags: readonly string[], code: string, words: RegExp])[] = [
    [keep, [], "unsupported_schema", /has a trigger `keep` that can keep rows/],
    [notes(""), ["--on-delete", `${noted}=set-null`], "unsupported_schema", /declared NOT NULL/],
    ["DROP TABLE hidp_accounts_emailchangerequest", [], "not_this_schema", /no foreign key/],
    [notes(""), [], "unknown_reference", /neither the database, the preset nor the settings/],
  ];
  for (const [sql, flags, code, words] of cases) {
    const folder = newDatabase(t);
    execute(folder, sql);
    const isMissing = code === "not_this_schema";
    const { status, stdout, stderr } = await run(folder, [...DOCTOR, ...flags]);
    deepEqual([status, stderr], [isMissing ? 0 : 1, ""], stdout);
    const standing = isMissing ? "not for this database" : "NOT READY";
    match(stdout, new RegExp(`^remove_stale_unverified_accounts: ${standing}$`, "m"));
    const { jobs }: Diagnosis = JSON.parse((await run(folder, [...DOCTOR, ...flags, "--json"])).stdout);
    const verdict = jobs.find(({ job }) => job === "remove_stale_unverified_accounts");
    deepEqual([verdict?.ready, verdict?.code], [false, code]);
    match(verdict?.verdict ?? "", words);
    equal(jobs.find(({ ready }) => ready)?.code, undefined);
    const dry = [...flags, "--database", "sqlite:idp.db", "--dry-run"];
    assertRefused(await run(folder, ["remove_stale_unverified_accounts", ...dry]), 1, code, words);
  }
});

test("what cannot be examined is refused as everywhere", async (t) => {
  const folder = newDatabase(t);
  assertRefused(await run(folder, ["doctor", "--database", "sqlite:none.db"]), 1, "store_missing");
  for (const [flag, value, words] of [
    ["--user-table", "nobody", /`--user-table` must be .*`nobody`/],
    ["--on-delete", "nothing.at_all=cascade", /`--on-delete nothing\.at_all` must be /],
  ] as const) {
    const outcome = await run(folder, [...DOCTOR, flag, value]);
    assertRefused(outcome, 2, "invalid_setting", words);
  }
  assertRefused(await run(folder, [...DOCTOR, "--dry-run"]), 2, "unknown_setting", /`--dry-run` of `doctor`/);
});

describe("the text of a diagnosis", () => {
  const foreignKeys: readonly Dependant[] = [
    {
      table: "oauth2_provider_refreshtoken",
      columns: ["access_token_id"],
      references: "oauth2_provider_accesstoken",
      onDelete: "set-null",
      source: "preset",
    },
    {
      table: "a",
      columns: ["b", "c"],
      references: "oauth2_provider_accesstoken",
      onDelete: "restrict",
      source: "settings",
    },
  ];
  const verdict = { sweeps: [], denied: [], warnings: [] };
  const diagnosis: Diagnosis = {
    server: "PostgreSQL 15.18",
    tables: [
      { table: "oauth2_provider_accesstoken", rows: 1234567, foreignKeys },
      { table: "people_user", rows: null, foreignKeys: [] },
    ],
    missingIndexes: [
      {
        table: "a",
        columns: ["b", "c"],
        references: "people_user",
        statement: "CREATE INDEX\n  x ON a (b, c)",
      },
    ],
    unknownReferences: [{ column: "x.y", references: "people_user", setting: "--on-delete x.y=cascade" }],
    jobs: [
      { ...verdict, job: "one", ready: true, verdict: "walks `t`", warnings: ["mind the gap"] },
      {
        ...verdict,
        job: "two",
        ready: false,
        code: "store_denied",
        verdict: `the role may not: ${"DELETE on `t`, ".repeat(20)}DELETE on \`u\``,
      },
    ],
    warnings: [],
  };

  test("has all of it, in lines that a terminal holds", () => {
    const lines = doctorLines(diagnosis, "postgres://h:5432/idp");
    for (const line of lines) ok(line.length <= 100, line);
    const text = lines.join("\n");
    for (const words of [
      /^users in +no table that could be found; --user-table names it$/m,
      /^ {2}oauth2_provider_accesstoken: about 1234567 row\(s\)\n {4}<- oauth2_provider_refreshtoken\.access_token_id +set-null +by preset\n {4}<- a\.\(b, c\) +restrict +by settings\n {2}people_user$/m,
      /^one: ready\n {2}walks `t`\n {2}warning: mind the gap\n\ntwo: NOT READY\n {2}the role may not: DELETE on `t`, /m,
      /DELETE on `u`$/m,
      /^ {2}x\.y -> people_user\n {4}--on-delete x\.y=cascade$/m,
      /^ {2}a\.\(b, c\) -> people_user\n {4}CREATE INDEX\n {6}x ON a \(b, c\)$/m,
    ]) {
      match(text, words);
    }
  });
});
