// Ours against an original on one seed: whatever the database, the same has to hold.

import assert from "node:assert/strict";
import type { JobName, Report, RunOptions } from "idp-janitor";
import { compareRows, type Rows } from "./differences.ts";
import { type Case, NOW } from "./original-cases.ts";
import { oracle } from "./originals.ts";

/** A kind of database. Each is named by its path or url. */
export interface Bench {
  /** A new database that is the same for the same seed. */
  seeded(seed: number): Promise<string>;
  /** A copy of one that nobody is connected to. */
  copy(database: string): Promise<string>;
  read(database: string): Promise<Rows>;
  /** What a dry run must leave as it was. */
  state(database: string): Promise<unknown>;
  run(database: string, job: JobName, options: RunOptions): Promise<Report>;
}

/** Runs a job and its original on the same rows, and throws where they do not do the same, or the report is not true. */
export async function judge(bench: Bench, original: Case, seed: number): Promise<void> {
  const ours = await bench.seeded(seed);
  const theirs = await bench.copy(ours);
  const before = await bench.read(ours);
  const { job, settings = {} } = original;
  const run = (options: RunOptions) => bench.run(ours, job, { now: NOW, settings, ...options });

  const untouched = await bench.state(ours);
  const dry = await run({ dryRun: true });
  assert.deepEqual(await bench.state(ours), untouched, "a dry run changes nothing");
  const plain = await run({});
  await runOriginal(original, theirs);

  const after = await bench.read(ours);
  compareRows({ name: "ours", rows: after }, { name: "theirs", rows: await bench.read(theirs) });
  const lost = countLost(before, after);
  assert.notDeepEqual(lost, {}, "the run removed something");
  assert.deepEqual(plain.removed, lost, "the report tells what is gone");
  assert.deepEqual(dry.wouldRemove, plain.removed, "a dry run tells what a real one removes");
  assert.deepEqual(dry.wouldChange, plain.changed, "a dry run tells what a real one changes");
  assert.equal(dry.selected, plain.selected);
  assert.deepEqual(dry.removed, {});
  assert.equal(plain.complete, true);
  assert.deepEqual((await run({})).removed, {}, "a second run removes nothing");
}

async function runOriginal({ original, originalSettings, which }: Case, database: string): Promise<void> {
  await oracle(["run", "--now", NOW, ...original], {
    database,
    ...(originalSettings && { settings: originalSettings }),
    ...(which && { which }),
  });
}

/** How many rows each table has lost. */
export function countLost(before: Rows, after: Rows): Record<string, number> {
  const lost = [...before].map(
    ([table, rows]) => [table, rows.length - (after.get(table)?.length ?? 0)] as const,
  );
  return Object.fromEntries(lost.filter(([, rows]) => rows !== 0));
}
