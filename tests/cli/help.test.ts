import { deepEqual, equal, match } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { newFolder, run, snapshot } from "./command.ts";

const JOBS = [
  "remove_stale_unverified_accounts",
  "remove_complete_and_stale_email_change_requests",
  "cleartokens",
  "clearsessions",
];
const KEY_JOB = "refresh_oidc_clients_jwks";
const COMMANDS = [
  ...[[], ["list"], ["plan"], ["doctor"], [KEY_JOB], ["keys"]],
  ...JOBS.flatMap((job) => [[job], ["plan", job]]),
];

describe("help and version", { concurrency: 4 }, () => {
  for (const command of COMMANDS) {
    test(`idp-janitor ${command.join(" ")}`, async (t) => {
      const folder = newFolder(t);
      for (const flag of ["--help", "-h"]) {
        const { status, stdout, stderr } = await run(folder, [...command, flag]);
        equal(stderr, "");
        equal(status, 0);
        match(stdout, /^Usage: idp-janitor /);
      }
      const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
      for (const flag of ["--version", "-V"]) {
        deepEqual(await run(folder, [...command, flag]), { status: 0, stdout: `${version}\n`, stderr: "" });
      }
      deepEqual(snapshot(folder), {});
    });
  }
});

test("help names the jobs, the exit statuses and where configuration is found", async (t) => {
  const { stdout } = await run(newFolder(t), ["--help"]);
  for (const job of [...JOBS, KEY_JOB]) match(stdout, new RegExp(`^  ${job} {2,}\\S`, "m"));
  match(stdout, /0 done, 1 failed, 2 wrong use, 75/);
  match(stdout, /IDP_JANITOR_DEBUG=1/);
  match(stdout, /idp-janitor\.config\.mjs/);
  for (const address of ["sqlite:", "postgres://", "mysql://", "libsql://", "DATABASE_URL"]) {
    match(stdout, new RegExp(address));
  }
});

test("only jobs that have days offer --days", async (t) => {
  const folder = newFolder(t);
  match((await run(folder, ["remove-stale-unverified-accounts", "--help"])).stdout, /--days .*\n?.*90/);
  const { stdout } = await run(folder, ["cleartokens", "--help"]);
  equal(stdout.includes("--days"), false);
  match(stdout, /refreshTokenExpireSeconds +7776000/);
});

test("list shows every job with settings and defaults, as text and as JSON", async (t) => {
  const folder = newFolder(t);
  const text = await run(folder, ["list"]);
  equal(text.status, 0);
  for (const job of JOBS) match(text.stdout, new RegExp(`^${job}$`, "m"));
  const { status, stdout, stderr } = await run(folder, ["list", "--json"]);
  deepEqual([status, stderr], [0, ""]);
  const { jobs } = JSON.parse(stdout);
  deepEqual(
    jobs.map((job: { name: string }) => job.name),
    [...JOBS, KEY_JOB],
  );
  const [{ settings }] = jobs;
  deepEqual([settings[0].name, settings[0].default, typeof settings[0].summary], ["days", 90, "string"]);
});
