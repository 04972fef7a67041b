// `npm run bench:d1`: cron ticks on a local D1 with 100,000 stale rows, within the limits of the free plan.

import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createDemoDatabase } from "../../demo/database.ts";
import { count } from "../../demo/text.ts";
import { startDevServer } from "../../tests/support/dev-server.ts";
import { COMPATIBILITY_DATE } from "../../tests/support/worker.ts";
import type { Ticked } from "./worker.ts";

const NOW = "2026-11-01T03:00:00Z";
const JOBS = [
  "remove_stale_unverified_accounts",
  "remove_complete_and_stale_email_change_requests",
  "cleartokens",
  "clearsessions",
] as const;
/** As many as have 100,000 rows removed. */
const USERS = 23_000;

/** How many processes do the same ticks: what a thread has computed is told in steps of some milliseconds. */
const REPETITIONS = 9;

const folder = mkdtempSync(join(tmpdir(), "idp-janitor-d1-"));
const config = {
  name: "bench",
  main: fileURLToPath(new URL("worker.ts", import.meta.url)),
  compatibility_date: COMPATIBILITY_DATE,
  d1_databases: [{ binding: "DB", database_name: "bench", database_id: "bench" }],
};
try {
  const demo = join(folder, "demo.sqlite3");
  createDemoDatabase(demo, { seed: 1, users: USERS, now: new Date(NOW) });
  await fill(demo);
  await measureTicks();
  measureOwnCpu(demo);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Puts a SQLite file where the server keeps its database. Rows by the hundred thousand would take minutes otherwise. */
async function fill(demo: string): Promise<void> {
  const server = await startDevServer(folder, config);
  await tick(server.url).catch(() => undefined);
  await server.kill();
  const state = join(folder, "state");
  const files = readdirSync(state, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.includes("D1DatabaseObject"),
  );
  for (const name of files) if (/\.sqlite-(wal|shm)$/.test(name)) rmSync(join(state, name));
  const kept = files.filter((name) => name.endsWith(".sqlite") && !name.endsWith("metadata.sqlite"));
  if (kept.length !== 1) throw new Error(`the server keeps its database elsewhere: ${files.join(", ")}`);
  copyFileSync(demo, join(state, kept[0] ?? ""));
}

async function tick(url: string): Promise<Ticked> {
  const response = await fetch(url, { method: "POST", body: JSON.stringify({ jobs: JOBS, now: NOW }) });
  if (!response.ok) throw new Error(`a tick failed with ${response.status}`);
  return (await response.json()) as Ticked;
}

async function measureTicks(): Promise<void> {
  const server = await startDevServer(folder, config);
  const ticks: Ticked[] = [];
  try {
    for (;;) {
      const ticked = await tick(server.url);
      if (ticked.entries.length === 0) break;
      ticks.push(ticked);
    }
  } finally {
    await server.kill();
  }
  const sum = (value: (ticked: Ticked) => number) =>
    ticks.reduce((total, ticked) => total + value(ticked), 0);
  const most = (value: (ticked: Ticked) => number) => Math.max(...ticks.map(value));
  const removed = sum(({ entries }) =>
    entries.flatMap(({ removed: rows = {} }) => Object.values(rows)).reduce((a, b) => a + b, 0),
  );
  print(`${count(removed)} rows removed in ${ticks.length} ticks`);
  print(
    `statements: ${most(({ statements }) => statements)} at most in a tick, ${count(sum(({ statements }) => statements))} in all`,
  );
  print(
    `rows read: ${(sum(({ rowsRead }) => rowsRead) / removed).toFixed(2)} a removed row, ${count(most(({ rowsRead }) => rowsRead))} at most in a tick`,
  );
  print(`rows written: ${(sum(({ rowsWritten }) => rowsWritten) / removed).toFixed(2)} a removed row`);
  print(
    `D1's own time: ${Math.round(most(({ sqlMs }) => sqlMs))} ms at most in a tick, ${Math.round(sum(({ sqlMs }) => sqlMs))} ms in all`,
  );
}

/** The first tick of an isolate, whose code has still to be compiled, and those that follow. */
function measureOwnCpu(demo: string): void {
  const script = fileURLToPath(new URL("own-cpu.ts", import.meta.url));
  const runs = Array.from({ length: REPETITIONS }, () => {
    const copy = join(folder, "copy.sqlite3");
    copyFileSync(demo, copy);
    const output = execFileSync(process.execPath, [script, copy, NOW, ...JOBS], { encoding: "utf8" });
    return JSON.parse(output) as number[];
  });
  const median = (values: readonly number[]) =>
    [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
  // The last one finds nothing to do.
  const ticks = Array.from({ length: (runs[0]?.length ?? 1) - 1 }, (_, tick) =>
    median(runs.map((run) => run[tick] ?? Number.NaN)),
  );
  const [first = Number.NaN, ...later] = ticks;
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  print(
    `CPU of our own code: ${ms(median(later))} in the median tick, ${ms(Math.max(...later))} at most in a later one, ${ms(first)} in the first of an isolate; each the median of ${REPETITIONS} processes`,
  );
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
