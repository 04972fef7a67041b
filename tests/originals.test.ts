/** Ours against the originals: same rows, same clock, and then every remaining row and column compared. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { createJanitor, type JobName, type Report, type RunOptions } from "idp-janitor";
import { nodeSqlite } from "idp-janitor/adapters/node-sqlite";
import { compareDatabases, copyDatabase, oracle, seededDatabase } from "./support/originals.ts";

const NOW = "2026-11-23T10:20:30.123456Z";
const SEEDS = [1, 2, 3];

interface Case {
  readonly title: string;
  readonly job: JobName;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** The original command, its arguments, its settings, and which toolkit runs it. */
  readonly original: readonly string[];
  readonly originalSettings?: Readonly<Record<string, unknown>>;
  readonly which?: "current" | "before-3.4";
}

const CASES: readonly Case[] = [
  {
    title: "stale accounts",
    job: "remove_stale_unverified_accounts",
    original: ["remove_stale_unverified_accounts"],
  },
  {
    title: "stale accounts after 30 days",
    job: "remove_stale_unverified_accounts",
    settings: { days: 30 },
    original: ["remove_stale_unverified_accounts", "--days", "30"],
  },
  {
    title: "stale accounts at once",
    job: "remove_stale_unverified_accounts",
    settings: { days: 0 },
    original: ["remove_stale_unverified_accounts", "--days", "0"],
  },
  {
    title: "email change requests",
    job: "remove_complete_and_stale_email_change_requests",
    original: ["remove_complete_and_stale_email_change_requests"],
  },
  {
    title: "email change requests after 2 days",
    job: "remove_complete_and_stale_email_change_requests",
    settings: { days: 2 },
    original: ["remove_complete_and_stale_email_change_requests", "--days", "2"],
  },
  { title: "tokens", job: "cleartokens", original: ["cleartokens"] },
  {
    title: "tokens with reuse protection",
    job: "cleartokens",
    settings: { refreshTokenReuseProtection: true },
    original: ["cleartokens"],
    originalSettings: { REFRESH_TOKEN_REUSE_PROTECTION: true },
  },
  {
    title: "tokens that never expire",
    job: "cleartokens",
    settings: { refreshTokenExpireSeconds: null },
    original: ["cleartokens"],
    originalSettings: { REFRESH_TOKEN_EXPIRE_SECONDS: null },
  },
  {
    title: "tokens that never expire, with reuse protection",
    job: "cleartokens",
    settings: { refreshTokenExpireSeconds: 0, refreshTokenReuseProtection: true },
    original: ["cleartokens"],
    originalSettings: { REFRESH_TOKEN_EXPIRE_SECONDS: 0, REFRESH_TOKEN_REUSE_PROTECTION: true },
  },
  {
    title: "tokens without grace, expiring after an hour",
    job: "cleartokens",
    settings: { refreshTokenExpireSeconds: 3600, refreshTokenGracePeriodSeconds: 0 },
    original: ["cleartokens"],
    originalSettings: { REFRESH_TOKEN_EXPIRE_SECONDS: 3600, REFRESH_TOKEN_GRACE_PERIOD_SECONDS: 0 },
  },
  {
    title: "tokens by the rules before 3.4",
    job: "cleartokens",
    settings: { rules: "before-3.4" },
    original: ["cleartokens"],
    which: "before-3.4",
  },
  {
    title: "tokens that never expire, by the rules before 3.4",
    job: "cleartokens",
    settings: { rules: "before-3.4", refreshTokenExpireSeconds: null },
    original: ["cleartokens"],
    originalSettings: { REFRESH_TOKEN_EXPIRE_SECONDS: null },
    which: "before-3.4",
  },
  { title: "sessions", job: "clearsessions", original: ["clearsessions"] },
];

for (const { title, job, settings = {}, original, originalSettings, which } of CASES) {
  for (const seed of SEEDS) {
    test(`${title}, seed ${seed}`, async () => {
      const ours = await seededDatabase(seed, NOW);
      const theirs = copyDatabase(ours);
      const before = copyDatabase(ours);

      const run = (options: RunOptions) => runOn(ours, job, { now: NOW, settings, ...options });
      const untouched = digest(ours);
      const dry = await run({ dryRun: true });
      assert.equal(digest(ours), untouched, "a dry run changes no byte");
      const plain = await run({});
      await oracle(["run", "--now", NOW, ...original], {
        database: theirs,
        ...(originalSettings && { settings: originalSettings }),
        ...(which && { which }),
      });

      compareDatabases(ours, theirs);
      assert.throws(() => compareDatabases(before, ours), "the run removed something");
      assert.deepEqual(dry.wouldRemove, plain.removed, "a dry run tells what a real one does");
      assert.deepEqual(plain.removed, countDifference(before, ours), "the report tells what is gone");
      assert.equal(dry.selected, plain.selected);
      assert.deepEqual(dry.removed, {});
      assert.equal(plain.complete, true);
      assert.deepEqual((await run({})).removed, {}, "a second run removes nothing");
    });
  }
}

async function runOn(path: string, job: JobName, options: RunOptions): Promise<Report> {
  const database = new DatabaseSync(path, { readOnly: options.dryRun ?? false });
  try {
    return await createJanitor({ store: nodeSqlite(database) }).run(job, options);
  } finally {
    database.close();
  }
}

function digest(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

/** How many rows each table has lost. */
function countDifference(before: string, after: string): Record<string, number> {
  const [had, has] = [countRows(before), countRows(after)];
  const lost = [...had].map(([table, rows]) => [table, rows - (has.get(table) ?? 0)] as const);
  return Object.fromEntries(lost.filter(([, rows]) => rows !== 0));
}

function countRows(path: string): Map<string, number> {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
    return new Map(
      tables.map(({ name }) => {
        const row = database.prepare(`SELECT count(*) AS rows FROM "${name}"`).get();
        return [String(name), Number(row?.rows)];
      }),
    );
  } finally {
    database.close();
  }
}
