import { local, type Measurement, measure, measureNode } from "./measure.ts";

/** The jobs that are measured: those that have an original and take their time. */
export const JOBS = ["remove_stale_unverified_accounts", "cleartokens"] as const;
export type Job = (typeof JOBS)[number];

/** One way to do a job. */
export interface Contender {
  readonly name: string;
  /** Runs but once, because it takes long and is no yardstick for small differences. */
  readonly once: boolean;
  /** Does a job on the database at a url. */
  run(job: Job, url: string, now: string): Promise<Measurement>;
}

/** How our command line is run, where not by its defaults. */
export interface Way {
  readonly sliceMs?: number;
  readonly concurrency?: number;
}

/** Our command line, of the build in a folder. */
export function janitor(build: string, { sliceMs, concurrency }: Way): Contender {
  const slices = sliceMs === undefined ? [] : ["--slice-ms", String(sliceMs)];
  const connections = concurrency === undefined ? [] : ["--concurrency", String(concurrency)];
  return {
    name: named("idp-janitor", [
      sliceMs && `slices of ${sliceMs} ms`,
      concurrency && `${concurrency} connections`,
    ]),
    once: false,
    async run(job, url, now) {
      const flags = ["--database", url, "--now", now, "--json", ...slices, ...connections];
      const { output, ...measurement } = await measureNode(`${build}/cli/main.js`, [job, ...flags]);
      const { slices: taken } = JSON.parse(output) as { slices: number };
      return { ...measurement, slices: taken };
    },
  };
}

/**
 * SQL by hand in one transaction.
 *
 * @param script what runs it, with the job, the url, the present and `args`
 * @param what what these `args` mean
 */
export function handWritten(script: string, what?: string, args: readonly string[] = []): Contender {
  return {
    name: named("hand-written SQL", [what]),
    once: false,
    async run(job, url, now) {
      const { output: _, ...measurement } = await measureNode(script, [job, url, now, ...args]);
      return measurement;
    },
  };
}

/** The original Django command, run by this Python. */
export function original(python: string): Contender {
  return {
    name: "original",
    once: true,
    async run(job, url, now) {
      // The path alone names a file.
      const environment = { ORACLE_DATABASE: url.replace(/^sqlite:/, "") };
      const { output: _, ...measurement } = await measure(
        python,
        [local("original.py"), job, now],
        environment,
      );
      return measurement;
    },
  };
}

function named(name: string, details: readonly (string | 0 | undefined)[]): string {
  return [name, ...details.filter(Boolean)].join(", ");
}
