import { spawn } from "node:child_process";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

/** The jobs that are measured: those that have an original and take their time. */
export const JOBS = ["remove_stale_unverified_accounts", "cleartokens"] as const;
export type Job = (typeof JOBS)[number];

/** One way to do a job. */
export interface Contender {
  readonly name: string;
  /** Runs but once, because it takes long and is no yardstick for small differences. */
  readonly once: boolean;
  run(job: Job, database: string, now: string): Promise<Measurement>;
}

/** What one run took, the whole process from start to end, as whoever schedules it sees it. */
export interface Measurement {
  readonly milliseconds: number;
  readonly peakBytes: number;
  readonly slices?: number;
}

/** Our command line, with slices of the default length or another. */
export function janitor(sliceMs?: number): Contender {
  return {
    name: sliceMs === undefined ? "idp-janitor" : `idp-janitor, slices of ${sliceMs} ms`,
    once: false,
    async run(job, database, now) {
      const flags = ["--database", `sqlite:${database}`, "--now", now, "--json"];
      if (sliceMs !== undefined) flags.push("--slice-ms", String(sliceMs));
      const { output, ...measurement } = await node("../pkg/cli/main.js", [job, ...flags]);
      const { slices } = JSON.parse(output) as { slices: number };
      return { ...measurement, slices };
    },
  };
}

export const HAND_WRITTEN = "hand-written SQL";

/** SQL by hand in one transaction, with SQLite's default page cache or another. */
export function handWritten(cacheMiB?: number): Contender {
  return {
    name: cacheMiB === undefined ? HAND_WRITTEN : `${HAND_WRITTEN}, ${cacheMiB} MiB of cache`,
    once: false,
    async run(job, database, now) {
      const cache = cacheMiB === undefined ? [] : [String(cacheMiB)];
      const { output: _, ...measurement } = await node("hand-written/run.ts", [job, database, now, ...cache]);
      return measurement;
    },
  };
}

export const ORIGINAL = "original";

/** The original Django command, run by this Python. */
export function original(python: string): Contender {
  return {
    name: ORIGINAL,
    once: true,
    async run(job, database, now) {
      const environment = { ORACLE_DATABASE: database };
      const { output: _, ...measurement } = await measure(
        python,
        [local("original.py"), job, now],
        environment,
      );
      return measurement;
    },
  };
}

function node(script: string, args: readonly string[]): Promise<Measurement & { output: string }> {
  return measure(process.execPath, ["--import", local("peak-memory.ts"), local(script), ...args], {});
}

function local(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

/** Runs a child to its end. It reports its peak memory on descriptor 3. */
async function measure(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Measurement & { output: string }> {
  const began = performance.now();
  const child = spawn(program, args, {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "inherit", "pipe"],
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  const memory = child.stdio[3];
  if (!(memory instanceof Readable) || child.stdout === null) throw new Error("a pipe is missing");
  const [status, output, peak] = await Promise.all([ended, text(child.stdout), text(memory)]);
  const milliseconds = performance.now() - began;
  if (status !== 0) throw new Error(`${args.join(" ")} ended with status ${status}`);
  return { milliseconds, peakBytes: Number(peak), output };
}
