import { count, seconds } from "../demo/text.ts";
import type { Job } from "./contenders.ts";
import type { Measurement } from "./measure.ts";

/** All that was measured of one contender at one job on a database of one size. */
export interface Result {
  readonly users: number;
  readonly job: Job;
  readonly contender: string;
  readonly measurements: readonly Measurement[];
}

/**
 * The results as Markdown: a table for each job, medians of time, the highest of the memory peaks.
 *
 * @param yardsticks the contenders that the times of all are given as multiples of
 */
export function report(results: readonly Result[], yardsticks: readonly string[]): string {
  const jobs = [...new Set(results.map(({ job }) => job))];
  return jobs
    .map((job) => {
      const ofJob = results.filter((result) => result.job === job);
      return [`### ${job}`, "", table(ofJob, yardsticks), "", ...growth(ofJob), ""].join("\n");
    })
    .join("\n");
}

function table(results: readonly Result[], yardsticks: readonly string[]): string {
  const rows = results.map((result): Record<string, string> => {
    const { users, contender, measurements } = result;
    const ratios = yardsticks.map((name): [string, string] => {
      const other = results.find((other) => other.users === users && other.contender === name);
      const ratio = other === undefined ? Number.NaN : medianTime(result) / medianTime(other);
      return [`of ${name}`, `${ratio.toFixed(2)} x`];
    });
    const cpu = measurements.flatMap(({ serverCpuMs }) => serverCpuMs ?? []);
    const peak = Math.max(...measurements.map(({ peakBytes }) => peakBytes));
    return {
      users: count(users),
      contender,
      time: seconds(medianTime(result)),
      ...Object.fromEntries(ratios),
      "server's CPU": cpu.length === 0 ? "" : seconds(median(cpu)),
      "peak memory": `${(peak / 1e6).toFixed(0)} MB`,
      slices: String(measurements.at(-1)?.slices ?? ""),
    };
  });
  // No column for what none has.
  const header = Object.keys(rows[0] ?? {}).filter((name) => rows.some((row) => row[name] !== ""));
  const cells = rows.map((row) => header.map((name) => row[name] ?? ""));
  return [header, header.map(() => "---"), ...cells].map((line) => `| ${line.join(" | ")} |`).join("\n");
}

/** How much longer each contender took a row where there were more rows: 1 is linear. */
function growth(results: readonly Result[]): string[] {
  const sizes = [...new Set(results.map(({ users }) => users))];
  const [small, large] = [Math.min(...sizes), Math.max(...sizes)];
  const pairs = results
    .filter(({ users }) => users === large)
    .flatMap((more) => {
      const less = results.find(({ users, contender }) => users === small && contender === more.contender);
      if (less === undefined) return [];
      const ratio = medianTime(more) / large / (medianTime(less) / small);
      return [`${more.contender} ${ratio.toFixed(2)} x`];
    });
  return [`Time a row with ${count(large)} users against ${count(small)}: ${pairs.join("; ")}.`];
}

function medianTime({ measurements }: Result): number {
  return median(measurements.map(({ milliseconds }) => milliseconds));
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.slice((sorted.length - 1) >> 1, (sorted.length >> 1) + 1);
  return middle.reduce((sum, number) => sum + number, 0) / middle.length;
}
