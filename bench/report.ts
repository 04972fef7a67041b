import { count, seconds } from "../demo/text.ts";
import type { Job, Measurement } from "./contenders.ts";

/** All that was measured of one contender at one job on a database of one size. */
export interface Result {
  readonly users: number;
  readonly job: Job;
  readonly contender: string;
  readonly measurements: readonly Measurement[];
}

/** The results as Markdown: a table for each job, medians of time, the highest of the memory peaks. */
export function report(results: readonly Result[], yardsticks: readonly [string, string]): string {
  const jobs = [...new Set(results.map(({ job }) => job))];
  return jobs
    .map((job) => {
      const ofJob = results.filter((result) => result.job === job);
      return [`### ${job}`, "", table(ofJob, yardsticks), "", ...growth(ofJob), ""].join("\n");
    })
    .join("\n");
}

function table(results: readonly Result[], [handWritten, original]: readonly [string, string]): string {
  const header = ["users", "contender", "time", "of hand-written", "of original", "peak memory", "slices"];
  const rows = results.map((result) => {
    const ratioTo = (name: string): string => {
      const other = results.find(({ users, contender }) => users === result.users && contender === name);
      return other === undefined ? "" : `${(medianTime(result) / medianTime(other)).toFixed(2)} x`;
    };
    const { users, contender, measurements } = result;
    const peak = Math.max(...measurements.map(({ peakBytes }) => peakBytes));
    return [
      count(users),
      contender,
      seconds(medianTime(result)),
      ratioTo(handWritten),
      ratioTo(original),
      `${(peak / 1e6).toFixed(0)} MB`,
      String(measurements.at(-1)?.slices ?? ""),
    ];
  });
  return [header, header.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
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
  const times = measurements.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b);
  const middle = times.slice((times.length - 1) >> 1, (times.length >> 1) + 1);
  return middle.reduce((sum, time) => sum + time, 0) / middle.length;
}
