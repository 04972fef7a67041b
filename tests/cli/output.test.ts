import { deepEqual, equal, match, ok } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { finished, MAIN, NOW, newDatabase, rows, run, snapshot, start } from "./command.ts";

const ACCOUNTS = "remove_stale_unverified_accounts";
const ARGS = ["--database", "sqlite:idp.db", "--now", NOW];

test("a dry run says what a real run then does, in the words of the original", async (t) => {
  const folder = newDatabase(t);
  const before = snapshot(folder);
  const users = rows(folder, "people_user");
  const dry = await run(folder, [ACCOUNTS, ...ARGS, "--dry-run"]);
  deepEqual([dry.status, dry.stderr], [0, ""]);
  deepEqual(snapshot(folder), before);
  const [opening, summary] = dry.stdout.split("\n");
  equal(opening, "Removing accounts that have not been verified within 90 days...");
  const stale = Number(/^(\d+) unverified account\(s\) would be removed\.$/.exec(summary ?? "")?.[1]);
  ok(stale > 0, summary);
  match(dry.stdout, new RegExp(`^  people_user +${stale}$`, "m"));

  const real = await run(folder, [ACCOUNTS, ...ARGS]);
  deepEqual([real.status, real.stderr], [0, ""]);
  const lines = real.stdout.split("\n");
  equal(lines[0], opening);
  equal(lines[1], `Successfully removed ${stale} unverified account(s).`);
  equal(rows(folder, "people_user"), users - stale);
  deepEqual(tableOf(real.stdout), tableOf(dry.stdout));
});

test("the other jobs open and end in the words of the originals", async (t) => {
  const folder = newDatabase(t);
  const requests = await run(folder, ["remove-complete-and-stale-email-change-requests", ...ARGS]);
  match(
    requests.stdout,
    /^Removing completed email change requests and requests that have not been completed within 7 days\.\.\.\nSuccessfully removed \d+ completed and\/or stale email change request\(s\)\.\n/,
  );
  for (const job of ["cleartokens", "clearsessions"]) equal((await run(folder, [job, ...ARGS])).status, 0);
});

test("--json prints one object and nothing else", async (t) => {
  const folder = newDatabase(t);
  const dry = await run(folder, ["cleartokens", ...ARGS, "--json", "--dry-run"]);
  deepEqual([dry.status, dry.stderr], [0, ""]);
  const expected = JSON.parse(dry.stdout);
  const common = [
    "changed",
    "complete",
    "dryRun",
    "elapsedMs",
    "held",
    "job",
    "now",
    "removed",
    "restricted",
    "selected",
    "slices",
  ];
  deepEqual(Object.keys(expected).sort(), [...common, "summary", "warnings", "wouldChange", "wouldRemove"]);
  deepEqual([expected.job, expected.dryRun, expected.removed], ["cleartokens", true, {}]);
  ok(Number.isInteger(expected.elapsedMs), String(expected.elapsedMs));
  equal(expected.now, "2026-06-01T00:00:00.000000Z");

  const real = await run(folder, ["cleartokens", ...ARGS, "--json"]);
  deepEqual([real.status, real.stderr], [0, ""]);
  const report = JSON.parse(real.stdout);
  deepEqual(Object.keys(report).sort(), [...common, "summary", "warnings"]);
  deepEqual([report.removed, report.selected], [expected.wouldRemove, expected.selected]);
  deepEqual([expected.changed, report.changed], [{}, expected.wouldChange]);

  const accounts = JSON.parse((await run(folder, [ACCOUNTS, ...ARGS, "--json", "--max-rows", "2"])).stdout);
  equal(accounts.cutoff, "2026-03-03T00:00:00.000000Z");
  deepEqual([accounts.complete, accounts.selected, accounts.checkpoint.job], [false, 2, ACCOUNTS]);
});

test("a bound ends with status 75 and says that work is left", async (t) => {
  const folder = newDatabase(t);
  for (const bound of ["--max-rows=1", "--max-statements=14", "--max-seconds=0.000001"]) {
    const { status, stdout } = await run(folder, ["cleartokens", ...ARGS, bound, "--slice-ms", "1"]);
    equal(status, 75, `${bound}: ${stdout}`);
    match(stdout, /before the end: run the same command again/);
  }
});

test("--quiet prints nothing", async (t) => {
  const folder = newDatabase(t);
  const silence = { status: 0, stdout: "", stderr: "" };
  deepEqual(await run(folder, [ACCOUNTS, ...ARGS, "--quiet", "--dry-run"]), silence);
  deepEqual(await run(folder, [ACCOUNTS, ...ARGS, "--quiet"]), silence);
});

test("plan shows tables, dependants and SQL, and runs none of it", async (t) => {
  const folder = newDatabase(t);
  const before = snapshot(folder);
  const text = await run(folder, ["plan", "remove-stale-unverified-accounts", ...ARGS, "--days", "30"]);
  deepEqual([text.status, text.stderr], [0, ""]);
  match(text.stdout, /^Removing accounts that have not been verified within 30 days\.\.\.$/m);
  match(text.stdout, /^cutoff +2026-05-02T00:00:00\.000000Z$/m);
  match(text.stdout, /^1\. people_user$/m);
  match(text.stdout, /^ +django_admin_log\.user_id -> people_user +cascade +by preset$/m);
  match(text.stdout, /\n\n {2}statements, .*:\n {4}find people_user:\n/);
  match(text.stdout, /^ +DELETE FROM main\."people_user"/m);

  const { stdout } = await run(folder, ["plan", "cleartokens", ...ARGS, "--json"]);
  const plan = JSON.parse(stdout);
  equal(plan.job, "cleartokens");
  ok(plan.sweeps.every((sweep: { statements: unknown[] }) => sweep.statements.length > 0));
  deepEqual(snapshot(folder), before);
});

test("--on-delete decides what nobody else does, and goes before the preset", async (t) => {
  const folder = newDatabase(t);
  const args = ["plan", ACCOUNTS, ...ARGS, "--on-delete", "django_admin_log.user_id=restrict"];
  match(
    (await run(folder, args)).stdout,
    /^ +django_admin_log\.user_id -> people_user +restrict +by settings$/m,
  );
});

test("rows that stay and let go are counted beside those that go", async (t) => {
  const folder = newDatabase(t);
  const args = [ACCOUNTS, ...ARGS, "--on-delete", "oauth2_provider_application.user_id=set-null"];
  const owned = (): number => {
    const db = new DatabaseSync(join(folder, "idp.db"), { readOnly: true });
    const [row] = db.prepare("SELECT count(user_id) AS n FROM oauth2_provider_application").all();
    db.close();
    return Number(row?.n);
  };
  const before = owned();
  const dry = await run(folder, [...args, "--dry-run"]);
  equal(owned(), before);
  match(dry.stdout, /^ {2}table +would go +would change$/m);
  const real = await run(folder, args);
  const changed = before - owned();
  ok(changed > 0);
  const line = new RegExp(`^ {2}oauth2_provider_application +0 +${changed}$`, "m");
  match(real.stdout, line);
  match(dry.stdout, line);
  match(real.stdout, /^ {2}table +gone +changed$/m);
});

test("--set gives a setting its value, as text where the setting is text", async (t) => {
  const folder = newDatabase(t);
  const removed = async (...set: string[]): Promise<Record<string, number>> => {
    const args = ["cleartokens", ...ARGS, "--dry-run", "--json", ...set.flatMap((pair) => ["--set", pair])];
    const { status, stdout, stderr } = await run(folder, args);
    equal(status, 0, stderr);
    return JSON.parse(stdout).wouldRemove;
  };
  const usual = await removed();
  deepEqual(await removed("rules=3.4"), usual);
  equal("oauth2_provider_devicegrant" in usual, false);
  ok(((await removed("deviceGrants=true")).oauth2_provider_devicegrant ?? 0) > 0);
  ok(
    (await removed("refreshTokenExpireSeconds=null", "rules=before-3.4")).oauth2_provider_refreshtoken ===
      undefined,
  );
});

test("a pipe gets no progress bar, a terminal does", async (t) => {
  const folder = newDatabase(t, 3000);
  const args = ["cleartokens", ...ARGS, "--slice-ms", "1", "--dry-run"];
  equal((await run(folder, args)).stderr, "");
  const terminal = (more: readonly string[]): string =>
    // Python has the pseudo-terminal that Node lacks.
    execFileSync("python3", ["-c", PTY, process.execPath, MAIN, ...args, ...more], {
      cwd: folder,
      encoding: "utf8",
    });
  match(terminal([]), /\d+\/\d+ rows, .*\/s, .* left - \d\/\d oauth2_provider_/);
  for (const flag of ["--json", "--quiet"]) equal(terminal([flag]).includes(" rows, "), false);
});

test("a reader that goes away fails nothing", async (t) => {
  const child = start(newDatabase(t), [ACCOUNTS, ...ARGS]);
  child.stdout?.destroy();
  deepEqual(await finished(child), { status: 0, stdout: "", stderr: "" });
});

const PTY = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)";

/** The lines of a report that have a table and a number. */
function tableOf(text: string): string[] {
  return text
    .split("\n")
    .filter((line) => /^ {2}\w+ +\d+$/.test(line))
    .map((line) => line.replace(/ +/g, " "));
}
