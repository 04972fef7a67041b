// `npm run bench`: our jobs, the original commands and hand-written SQL side by side on copies of one database.

import { parseArgs } from "node:util";
import { count, seconds } from "../demo/text.ts";
import { ensureVenv } from "../tests/support/originals.ts";
import { copyBuild } from "./build.ts";
import { type Contender, JOBS, janitor, original, type Way } from "./contenders.ts";
import type { Engine } from "./engines/engine.ts";
import { postgres } from "./engines/postgres.ts";
import { sqlite } from "./engines/sqlite.ts";
import { type Result, report } from "./report.ts";
import { measureJob } from "./rounds.ts";

const NOW = "2026-11-01T03:00:00+00:00";

const ENGINES = new Map<string, () => Promise<Engine>>([
  ["sqlite", sqlite],
  ["postgres", postgres],
]);

const { values: flags } = parseArgs({
  options: {
    engine: { type: "string", default: "sqlite" },
    users: { type: "string", default: "300000" },
    repetitions: { type: "string", default: "3" },
    "slice-ms": { type: "string", multiple: true, default: [] },
    "skip-originals": { type: "boolean", default: false },
    "skip-ours": { type: "boolean", default: false },
  },
});
const users = atLeastOne("users", flags.users);
const repetitions = atLeastOne("repetitions", flags.repetitions);
const slices = flags["slice-ms"].map((ms) => ({ sliceMs: atLeastOne("slice-ms", ms) }));

// The databases take gigabytes, and go by `exit` listeners.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

const start = ENGINES.get(flags.engine);
if (start === undefined) throw new RangeError(`--engine must be one of ${[...ENGINES.keys()].join(", ")}`);
const originals = flags["skip-originals"] ? [] : [original(await ensureVenv("current"))];
const engine = await start();
try {
  const ours = flags["skip-ours"] ? [] : oursIn([...engine.ours, ...slices]);
  const contenders = [...engine.handWritten, ...ours, ...originals];
  const results: Result[] = [];
  // The smaller one shows whether the time grows with the rows.
  for (const size of [Math.ceil(users / 10), users]) results.push(...(await measureAll(contenders, size)));
  const yardsticks = [...engine.handWritten.slice(0, 1), ...originals].map(({ name }) => name);
  print(`\n${report(results, yardsticks)}`);
} finally {
  await engine.close();
}

function oursIn(ways: readonly Way[]): Contender[] {
  const build = copyBuild();
  return ways.map((way) => janitor(build, way));
}

async function measureAll(contenders: readonly Contender[], size: number): Promise<Result[]> {
  const began = performance.now();
  const seeded = await engine.seed({ seed: 1, users: size, now: new Date(NOW) });
  print(`a database of ${count(size)} users, made in ${seconds(performance.now() - began)}`);
  const course = { engine, contenders, seeded, now: NOW, repetitions };
  const results: Result[] = [];
  for (const job of JOBS) {
    for (const [{ name }, measurements] of await measureJob(course, job)) {
      results.push({ users: size, job, contender: name, measurements });
    }
  }
  await engine.remove(seeded);
  return results;
}

function atLeastOne(flag: string, given: string): number {
  const number = Number(given);
  if (Number.isSafeInteger(number) && number >= 1) return number;
  throw new RangeError(`--${flag} must be a whole number, 1 or more, not \`${given}\``);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
