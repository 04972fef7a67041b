import { seconds } from "../demo/text.ts";
import type { Contender, Job } from "./contenders.ts";
import { differingTables, type Engine, type Fingerprint } from "./engines/engine.ts";
import type { Measurement } from "./measure.ts";

/** What the contenders are let loose on. */
export interface Course {
  readonly engine: Engine;
  readonly contenders: readonly Contender[];
  /** The url of the database that each run gets a copy of. */
  readonly seeded: string;
  /** The instant that ages are told from. */
  readonly now: string;
  readonly repetitions: number;
}

/**
 * Measures every contender in turn, in another order each round, and holds what they leave against each other.
 *
 * @throws where one leaves other rows than the first, or all rows
 */
export async function measureJob(course: Course, job: Job): Promise<Map<Contender, Measurement[]>> {
  const { engine, contenders, seeded, repetitions } = course;
  const measurements = new Map<Contender, Measurement[]>(contenders.map((contender) => [contender, []]));
  const before = await engine.fingerprint(seeded);
  let first: { readonly name: string; readonly left: Fingerprint } | undefined;
  for (let round = 0; round < repetitions; round += 1) {
    for (const contender of rotated(contenders, round)) {
      if (contender.once && round > 0) continue;
      const { measurement, left } = await run(course, contender, job);
      measurements.get(contender)?.push(measurement);
      process.stdout.write(`  ${job}, ${contender.name}: ${seconds(measurement.milliseconds)}\n`);
      if (differingTables(before, left).length === 0) throw new Error(`${contender.name} did nothing`);
      first ??= { name: contender.name, left };
      const tables = differingTables(first.left, left);
      if (tables.length > 0) {
        throw new Error(`${contender.name} left other rows than ${first.name} in ${tables.join(", ")}`);
      }
    }
  }
  return measurements;
}

async function run({ engine, seeded, now }: Course, contender: Contender, job: Job) {
  const copy = await engine.copy(seeded);
  const cpu = engine.serverCpu();
  const measured = await contender.run(job, copy, now);
  const cpuAfter = engine.serverCpu();
  const hasCpu = cpu !== undefined && cpuAfter !== undefined;
  const measurement = { ...measured, ...(hasCpu && { serverCpuMs: cpuAfter - cpu }) };
  const left = await engine.fingerprint(copy);
  await engine.remove(copy);
  return { measurement, left };
}

function rotated<Item>(items: readonly Item[], by: number): Item[] {
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}
