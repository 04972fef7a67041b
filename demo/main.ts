// What `npm start` runs: a made-up database with HIdP's schema, each job on it, signing keys, and proof of what they did.

import { rmSync, statSync } from "node:fs";
import { relative } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { createJanitor, type Report } from "idp-janitor";
import { nodeSqlite } from "idp-janitor/adapters/node-sqlite";
import { Checks, countRows, difference } from "./checks.ts";
import { createDemoDatabase } from "./database.ts";
import { showKeys } from "./keys.ts";
import { bold, columns, count, print, seconds } from "./text.ts";

const JOBS = [
  "remove_stale_unverified_accounts",
  "remove_complete_and_stale_email_change_requests",
  "cleartokens",
  "clearsessions",
] as const;
const NOW = new Date("2026-11-01T03:00:00Z");
const USERS = 30_000;

const path = fileURLToPath(new URL("../demo.sqlite3", import.meta.url));
const shown = relative(process.cwd(), path);

makeDatabase();
const database = new DatabaseSync(path);
const checks = new Checks();
for (const job of JOBS) await show(job);
await showKeys(database, checks);
finish();

function makeDatabase(): void {
  for (const file of [path, `${path}-journal`]) rmSync(file, { force: true });
  const began = performance.now();
  const rows = createDemoDatabase(path, { seed: 1, users: USERS, now: NOW });
  const megabytes = (statSync(path).size / 1e6).toFixed(0);
  print(bold(`A database with HIdP's schema: ${shown}`));
  print(
    `${megabytes} MB of made-up rows as of ${NOW.toISOString()}, in ${seconds(performance.now() - began)}`,
  );
  print();
  const counts = Object.entries(rows).map(([table, number]) => [`  ${table}`, count(number)]);
  print(columns(["  table", "rows"], counts));
}

/** Shows a dry run of a job, then the job, then what it removed, and checks that all of it agrees. */
async function show(job: string): Promise<void> {
  const janitor = createJanitor({ store: nodeSqlite(database) });
  print();
  print(bold(job));
  const full = countRows(database);
  const dry = await janitor.run(job, { now: NOW, dryRun: true });
  const untouched = countRows(database);
  print(`  dry run  ${outcome(dry)}`);
  const real = await janitor.run(job, { now: NOW });
  print(`  run      ${outcome(real)}`);
  print();
  const removed = difference(full, countRows(database));
  const rows = Object.entries(real.removed).map(([table, number]) => [`  ${table}`, count(number)]);
  print(columns(["  removed from", "rows"], rows));

  for (const warning of new Set([...dry.warnings, ...real.warnings])) print(`  warning: ${warning}`);

  const again = await janitor.run(job, { now: NOW });
  checks.same("a dry run removes nothing", job, difference(full, untouched), {});
  checks.same("a run removes what its dry run had said", job, real.removed, dry.wouldRemove);
  checks.same("a report tells of the rows that are gone, and of no others", job, real.removed, removed);
  checks.same("a second run finds nothing left to remove", job, again.removed, {});
}

function outcome(report: Report): string {
  return `${report.summary} ${seconds(report.elapsedMs)}, ${report.slices} ${report.slices === 1 ? "slice" : "slices"}`;
}

function finish(): void {
  checks.same("no foreign key dangles", shown, database.prepare("PRAGMA foreign_key_check").all(), []);
  const integrity = database.prepare("PRAGMA integrity_check").all();
  checks.same("the file is sound", shown, integrity, [{ integrity_check: "ok" }]);
  database.close();
  print();
  print(bold("Checks"));
  for (const line of checks.lines()) print(`  ${line}`);
  print();
  if (checks.failed) {
    print("Something is wrong, see above.");
    process.exitCode = 1;
    return;
  }
  print(bold("The database is still there. Try the command line on it, with less patience:"));
  const sooner = `--days 30 --now ${NOW.toISOString()} --dry-run`;
  print(`  npx idp-janitor plan cleartokens --database sqlite:${shown}`);
  print(`  npx idp-janitor remove-stale-unverified-accounts --database sqlite:${shown} ${sooner}`);
}
