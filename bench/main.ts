// `npm run bench`: our jobs, the original commands and hand-written SQL side by side on copies of one database.

import {
  closeSync,
  copyFileSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createDemoDatabase } from "../demo/database.ts";
import { count, seconds } from "../demo/text.ts";
import { ensureVenv } from "../tests/support/originals.ts";
import { differingTables } from "./compare.ts";
import {
  type Contender,
  HAND_WRITTEN,
  handWritten,
  JOBS,
  type Job,
  janitor,
  type Measurement,
  ORIGINAL,
  original,
} from "./contenders.ts";
import { type Result, report } from "./report.ts";

const NOW = "2026-11-01T03:00:00+00:00";

/** What our command line gives SQLite: shows how much of a ratio is due to that alone. */
const OUR_CACHE_MIB = 48;

const { values: flags } = parseArgs({
  options: {
    users: { type: "string", default: "300000" },
    repetitions: { type: "string", default: "3" },
    "slice-ms": { type: "string", multiple: true, default: [] },
    "skip-originals": { type: "boolean", default: false },
  },
});
const users = atLeastOne("users", flags.users);
const repetitions = atLeastOne("repetitions", flags.repetitions);
const ours = [janitor(), ...flags["slice-ms"].map((ms) => janitor(atLeastOne("slice-ms", ms)))];
const originals = flags["skip-originals"] ? [] : [original(await ensureVenv("current"))];
const contenders: readonly Contender[] = [handWritten(), handWritten(OUR_CACHE_MIB), ...ours, ...originals];

const folder = mkdtempSync(join(tmpdir(), "idp-janitor-bench-"));
// On every way out: the databases take gigabytes.
process.on("exit", () => rmSync(folder, { recursive: true }));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

const results: Result[] = [];
// The smaller one shows whether the time grows with the rows.
for (const size of [Math.ceil(users / 10), users]) results.push(...(await measureAll(size)));
print(`\n${report(results, [HAND_WRITTEN, ORIGINAL])}`);

async function measureAll(size: number): Promise<Result[]> {
  const seeded = join(folder, "seeded.sqlite3");
  const began = performance.now();
  createDemoDatabase(seeded, { seed: 1, users: size, now: new Date(NOW) });
  print(`a database of ${count(size)} users, made in ${seconds(performance.now() - began)}`);
  try {
    const results: Result[] = [];
    for (const job of JOBS) results.push(...(await measureJob(seeded, size, job)));
    return results;
  } finally {
    rmSync(seeded);
  }
}

/** Measures every contender in turn, in another order each round, and holds what they leave against each other. */
async function measureJob(seeded: string, size: number, job: Job): Promise<Result[]> {
  const reference = join(folder, "reference.sqlite3");
  const measurements = new Map<string, Measurement[]>(contenders.map(({ name }) => [name, []]));
  let first: Contender | undefined;
  for (let round = 0; round < repetitions; round += 1) {
    for (const contender of rotated(contenders, round)) {
      if (contender.once && round > 0) continue;
      const copy = warmCopy(seeded);
      const measurement = await contender.run(job, copy, NOW);
      measurements.get(contender.name)?.push(measurement);
      print(`  ${job}, ${contender.name}: ${seconds(measurement.milliseconds)}`);
      if (first === undefined) {
        first = contender;
        renameSync(copy, reference);
        if (differingTables(reference, seeded).length === 0) throw new Error(`${contender.name} did nothing`);
        continue;
      }
      const tables = differingTables(copy, reference);
      rmSync(copy);
      if (tables.length > 0) {
        throw new Error(`${contender.name} left other rows than ${first.name} in ${tables.join(", ")}`);
      }
    }
  }
  rmSync(reference);
  return contenders.map(({ name }) => ({
    users: size,
    job,
    contender: name,
    measurements: measurements.get(name) ?? [],
  }));
}

/** A copy that has been written to the disk and read again, so that no contender finds a colder file than another. */
function warmCopy(seeded: string): string {
  const copy = join(folder, "copy.sqlite3");
  copyFileSync(seeded, copy);
  const file = openSync(copy, "r+");
  const buffer = Buffer.alloc(1 << 20);
  try {
    fsyncSync(file);
    while (readSync(file, buffer) > 0);
  } finally {
    closeSync(file);
  }
  return copy;
}

function rotated<Item>(items: readonly Item[], by: number): Item[] {
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}

function atLeastOne(flag: string, given: string): number {
  const number = Number(given);
  if (Number.isSafeInteger(number) && number >= 1) return number;
  throw new RangeError(`--${flag} must be a whole number, 1 or more, not \`${given}\``);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
