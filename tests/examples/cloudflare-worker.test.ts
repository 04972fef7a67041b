/** The example Worker, from the tarball, on a D1 database with HIdP's schema: its ticks leave what the originals leave. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { cp, readFile, writeFile } from "node:fs/promises";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { D1Database, Workflow } from "@cloudflare/workers-types";
import type { SweepResult } from "idp-janitor/cloudflare";
import { installed } from "../package/packed.ts";
import { addRuntimeTypes, checkPrograms, WORKERS } from "../package/types.ts";
import { fillD1, readD1 } from "../support/d1.ts";
import { compareRows } from "../support/differences.ts";
import { copyDatabase, oracle, readDatabase, seededDatabase } from "../support/originals.ts";
import { startProject } from "../support/worker.ts";

const EXAMPLE = fileURLToPath(new URL("../../examples/cloudflare-worker/", import.meta.url));

/** Events are due at whole milliseconds. */
const NOW = "2026-11-23T10:20:30.123Z";
const CRON = "*/10 1-5 * * *";
const JOBS = [
  "remove_stale_unverified_accounts",
  "remove_complete_and_stale_email_change_requests",
  "cleartokens",
  "clearsessions",
];

const project = await installed();
await cp(EXAMPLE, project.folder, { recursive: true });
let running = await startProject(project.at("wrangler.jsonc"));
after(() => running.close());
const bindings = async () => (await running.worker.getEnv()) as { DB: D1Database; SWEEP: Workflow };
let { DB, SWEEP } = await bindings();

/** Takes the dry run out, as its comment says, and deploys anew, on another database. */
async function deployInEarnest(): Promise<void> {
  const main = project.at("src/index.ts");
  const source = await readFile(main, "utf8");
  const earnest = source.replace(/^ *dryRun: true, .*\n/m, "");
  assert.notEqual(earnest, source, "there is no dry run to take out");
  await writeFile(main, earnest);
  await running.close();
  running = await startProject(project.at("wrangler.jsonc"));
  ({ DB, SWEEP } = await bindings());
}

/** What the Worker has logged of its jobs since it was asked last. */
function entries(): {
  job: string;
  outcome: string;
  statements: number;
  removed?: Record<string, number>;
  dryRun?: boolean;
}[] {
  const logs = running.takeLogs().filter((line) => line.startsWith('{"event":"idp-janitor"'));
  return logs.map((line) => JSON.parse(line) as never);
}

const tick = (at = NOW) => running.worker.scheduled({ cron: CRON, scheduledTime: new Date(at) });

test("its migration is HIdP's schema", () => {
  const migration = readFileSync(`${EXAMPLE}migrations/0001_hidp.sql`, "utf8");
  const schema = readFileSync(new URL("../../demo/schema.sql", import.meta.url), "utf8");
  assert.equal(migration.replace(/^--.*\n/gm, ""), schema);
});

test("it holds in a strict project for Workers", async () => {
  await addRuntimeTypes(project);
  await checkPrograms(project, WORKERS, ["src/index.ts"]);
});

test("as it stands it tells what would go, and changes nothing", async () => {
  const seeded = await seededDatabase(1, NOW);
  await running.worker.applyD1Migrations("DB");
  await fillD1(seeded, DB);
  const { outcome } = await tick();
  assert.equal(outcome, "ok");
  const told = entries();
  assert.equal(told[0]?.job, JOBS[0]);
  assert.ok(Object.values(told[0]?.removed ?? {}).some((rows) => rows > 0));
  assert.ok(told.every(({ dryRun }) => dryRun === true));
  compareRows({ name: "D1", rows: await readD1(DB) }, { name: "before", rows: readDatabase(seeded) });
});

test("its ticks leave what the originals leave, two of them at once", async () => {
  await deployInEarnest();
  const ours = await seededDatabase(1, NOW, 3000);
  const theirs = copyDatabase(ours);
  await running.worker.applyD1Migrations("DB");
  await fillD1(ours, DB);

  let most = 0;
  const removed: Record<string, number> = {};
  const complete = new Set<string>();
  let ticks = 0;
  while (complete.size < JOBS.length) {
    ticks += 1;
    assert.ok(ticks <= 40, `after 40 ticks only ${[...complete].join(", ")}`);
    // Every other time the next tick comes while the last one is still at it.
    const outcomes = await Promise.all(ticks % 2 === 0 ? [tick(), tick()] : [tick()]);
    assert.ok(
      outcomes.every(({ outcome }) => outcome === "ok"),
      JSON.stringify(outcomes),
    );
    const done = entries();
    if (outcomes.length === 1)
      most = Math.max(
        most,
        done.reduce((sum, { statements }) => sum + statements, 0),
      );
    for (const { job, outcome, removed: rows = {} } of done) {
      if (outcome === "complete") complete.add(job);
      for (const [table, count] of Object.entries(rows)) removed[table] = (removed[table] ?? 0) + count;
    }
  }
  assert.ok(ticks > 3, `${ticks} ticks`);
  assert.ok(most <= 40, `${most} statements in a tick`);

  const before = readDatabase(theirs);
  for (const job of JOBS) await oracle(["run", "--now", NOW, job], { database: theirs });
  const left = readDatabase(theirs);
  compareRows({ name: "ours", rows: await readD1(DB) }, { name: "theirs", rows: left });
  const lost = [...before].map(
    ([table, rows]) => [table, rows.length - (left.get(table)?.length ?? 0)] as const,
  );
  assert.deepEqual(removed, Object.fromEntries(lost.filter(([, rows]) => rows > 0)), "what the logs tell");

  // All of them rest until the next night.
  await tick();
  assert.deepEqual(entries(), []);
  await tick("2026-11-24T10:20:30.123Z");
  assert.notDeepEqual(entries(), []);
});

test("its workflow does a job to its end, and tells what went", async () => {
  await DB.batch([
    DB.prepare("DELETE FROM django_session"),
    DB.prepare(
      "INSERT INTO django_session VALUES ('over', '', '2026-01-01 00:00:00'), ('not', '', '2027-01-01 00:00:00')",
    ),
  ]);
  const instance = await SWEEP.create({ id: "sessions", params: { job: "clearsessions", now: NOW } });
  let state = await instance.status();
  for (let tries = 0; tries < 200 && !["complete", "errored"].includes(state.status); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    state = await (await SWEEP.get("sessions")).status();
  }
  assert.equal(state.status, "complete", JSON.stringify(state));
  const { removed, now } = state.output as SweepResult;
  assert.deepEqual([removed, now], [{ django_session: 1 }, NOW]);
  const left = await DB.prepare("SELECT session_key FROM django_session").raw();
  assert.deepEqual(left, [["not"]]);
});
