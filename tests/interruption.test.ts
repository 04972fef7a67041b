/** What happens to a database when a run is killed, cut short, or has company. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Checkpoint, createJanitor, type RunOptions } from "idp-janitor";
import { nodeSqlite } from "idp-janitor/adapters/node-sqlite";
import { createDemoDatabase } from "../demo/database.ts";
import { compareDatabases, copyDatabase } from "./support/originals.ts";

const MAIN = fileURLToPath(new URL("../pkg/cli/main.js", import.meta.url));
const NOW = "2026-11-01T00:00:00Z";
const JOBS = ["remove_stale_unverified_accounts", "cleartokens"] as const;
/** About how long a slice takes here, its commit included; a kill comes at any moment of one. */
const LONGEST_SLICE_MS = 20;

let folder: string;
let seeded: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), "idp-janitor-interruption-"));
  seeded = join(folder, "seeded.sqlite3");
  createDemoDatabase(seeded, { seed: 7, users: 3000, now: new Date(NOW) });
});

after(() => rmSync(folder, { recursive: true, force: true }));

for (const job of JOBS) {
  test(`${job}, killed at any moment, leaves a consistent database, and the next run finishes`, async (t) => {
    const expected = copyDatabase(seeded);
    const { slices } = await runHere(expected, job, { sliceMs: 1 });
    const [all, none] = [rowsOf(expected), rowsOf(seeded)];
    let [killed, halfway] = [0, 0];
    for (let round = 0; round < 12; round += 1) {
      const path = copyDatabase(seeded);
      const args = [MAIN, job, "--database", `sqlite:${path}`, "--now", NOW, "--slice-ms", "1", "--quiet"];
      const child = spawn(process.execPath, args, { stdio: "ignore" });
      const ended = once(child, "exit");
      await sawCommits(path, round % Math.min(slices, 6), ended);
      await setTimeout(Math.random() * LONGEST_SLICE_MS);
      // On a fast machine it may be done already.
      if (child.kill("SIGKILL")) killed += 1;
      await ended;
      checkConsistent(path);
      const left = rowsOf(path);
      if (left > all && left < none) halfway += 1;
      await runHere(path, job, {});
      compareDatabases(path, expected);
    }
    t.diagnostic(`${killed} runs were killed, ${halfway} of them with some rows removed and not all`);
    assert.ok(killed > 2, `only ${killed} runs were killed`);
    assert.ok(halfway > 0, "no run was killed that had removed some rows and not all");
  });

  test(`${job}, cut into many runs by bounds, removes in all what one run removes`, async () => {
    const expected = copyDatabase(seeded);
    const whole = await runHere(expected, job, {});
    const path = copyDatabase(seeded);
    const sum: Record<string, number> = {};
    let checkpoint: Checkpoint | undefined;
    let runs = 0;
    for (;;) {
      const from = checkpoint ? { checkpoint } : {};
      const report = await runHere(path, job, { maxRows: 500, ...from });
      for (const [table, rows] of Object.entries(report.removed)) sum[table] = (sum[table] ?? 0) + rows;
      runs += 1;
      assert.ok(report.selected <= 500);
      if (report.complete) break;
      // It must survive a file.
      checkpoint = JSON.parse(JSON.stringify(report.checkpoint)) as Checkpoint;
    }
    assert.ok(runs > 1, "it took several runs");
    assert.deepEqual(sum, { ...whole.removed });
    compareDatabases(path, expected);
  });
}

test("a user who verifies while the job runs is kept, with everything that hangs on them", async () => {
  const path = copyDatabase(seeded);
  const other = new DatabaseSync(path);
  const stale = "email_verified IS NULL AND date_joined < '2026-08-03 00:00:00'";
  const tokens = (id: unknown) =>
    other.prepare("SELECT count(*) AS n FROM oauth2_provider_accesstoken WHERE user_id = ?").get(String(id))
      ?.n;
  const last = other
    .prepare(`SELECT id FROM people_user u WHERE ${stale} AND EXISTS (
      SELECT 1 FROM oauth2_provider_accesstoken a WHERE a.user_id = u.id) ORDER BY rowid DESC LIMIT 5`)
    .all()
    .map(({ id }) => id);
  const had = last.map(tokens);
  let slices = 0;
  const report = await runHere(path, "remove_stale_unverified_accounts", {
    sliceMs: 1,
    onProgress() {
      slices += 1;
      if (slices > 1) return;
      for (const id of last) {
        other
          .prepare("UPDATE people_user SET email_verified = '2026-11-01 00:00:00' WHERE id = ?")
          .run(String(id));
      }
    },
  });
  assert.ok(slices > 1, "there was more than one slice");
  const left = other.prepare("SELECT id FROM people_user WHERE id IN (SELECT value FROM json_each(?))");
  assert.equal(left.all(JSON.stringify(last)).length, last.length, "they are kept");
  assert.deepEqual(last.map(tokens), had, "and so are their tokens");
  assert.equal(other.prepare(`SELECT count(*) AS n FROM people_user WHERE ${stale}`).get()?.n, 0);
  assert.equal(report.complete, true);
  other.close();
  checkConsistent(path);
});

async function runHere(path: string, job: string, options: RunOptions) {
  const database = new DatabaseSync(path);
  try {
    return await createJanitor({ store: nodeSqlite(database) }).run(job, { now: NOW, ...options });
  } finally {
    database.close();
  }
}

/** Waits until others have committed so often, or until they are at their end. */
async function sawCommits(path: string, commits: number, ended: Promise<unknown>): Promise<void> {
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  const database = new DatabaseSync(path, { readOnly: true, timeout: 5000 });
  try {
    // It differs after each commit of another connection, though not by one where there were several in between.
    const version = () => database.prepare("PRAGMA data_version").get()?.data_version;
    let last = version();
    for (let seen = 0; seen < commits && !isOver; ) {
      await setTimeout(1);
      const now = version();
      if (now !== last) seen += 1;
      last = now;
    }
  } finally {
    database.close();
  }
}

/** How many rows all tables have. */
function rowsOf(path: string): number {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
    return tables.reduce(
      (sum, { name }) => sum + Number(database.prepare(`SELECT count(*) AS n FROM "${name}"`).get()?.n),
      0,
    );
  } finally {
    database.close();
  }
}

function checkConsistent(path: string): void {
  const database = new DatabaseSync(path);
  try {
    assert.deepEqual(database.prepare("PRAGMA foreign_key_check").all(), []);
    assert.equal(database.prepare("PRAGMA integrity_check").get()?.integrity_check, "ok");
    const torn = database.prepare(`SELECT count(*) AS n FROM people_user u
      WHERE email_verified IS NULL AND date_joined < '2026-08-03 00:00:00'
      AND EXISTS (SELECT 1 FROM otp_static_staticdevice d WHERE d.user_id = u.id
        AND NOT EXISTS (SELECT 1 FROM otp_static_statictoken t WHERE t.device_id = d.id))`);
    assert.equal(torn.get()?.n, 0, "no account is torn");
  } finally {
    database.close();
  }
}
