import { createJanitor, type JobDescription } from "../entry/node.ts";
import { isLasting, JanitorError } from "../errors.ts";
import { messageOf } from "../message.ts";
import type { Checkpoint, Report } from "../report.ts";
import { CheckpointFile } from "./checkpoint-file.ts";
import { EXIT_DONE, EXIT_WORK_LEFT } from "./exit.ts";
import { REFRESH_KEYS } from "./keys/description.ts";
import { addressOf, openStore } from "./open-store.ts";
import type { Options } from "./options.ts";
import type { Output } from "./output.ts";
import { createProgressBar } from "./progress.ts";
import { abortOnSignals } from "./signals.ts";
import { listLines, planLines, reportLines } from "./text.ts";
import { defined } from "./values.ts";

/** `idp-janitor list` */
export function listCommand(jobs: readonly JobDescription[], output: Output): number {
  const all = [...jobs, REFRESH_KEYS];
  output.lines(listLines(all));
  output.object({ jobs: all });
  return EXIT_DONE;
}

/** `idp-janitor plan JOB` */
export async function planCommand(job: JobDescription, options: Options, output: Output): Promise<number> {
  const opened = await openStore(options.database, { readOnly: true });
  try {
    const janitor = createJanitor({ store: opened.store, ...options.janitor });
    const plan = await janitor.plan(job.name, { ...options.judging, dryRun: options.dryRun });
    output.lines(planLines(plan));
    output.object(plan);
    output.warnings(plan.warnings);
    return EXIT_DONE;
  } finally {
    await opened.close();
  }
}

/** `idp-janitor JOB` */
export async function runCommand(job: JobDescription, options: Options, output: Output): Promise<number> {
  const file = await checkpointFile(options);
  const interruption = abortOnSignals();
  try {
    const report = await runJob(job, options, file?.checkpoint, interruption.signal, output).catch(
      async (error: unknown) => {
        await keepWhatWasDone(error, options, file, output);
        throw error;
      },
    );
    show(report, options, output);
    await file?.settle(report);
    output.object(report);
    return report.complete ? EXIT_DONE : EXIT_WORK_LEFT;
  } finally {
    interruption.dispose();
  }
}

/** A dry run is no part of a pass: it neither goes on from a checkpoint nor leaves one. */
async function checkpointFile(options: Options): Promise<CheckpointFile | undefined> {
  if (options.dryRun || options.checkpoint === undefined) return undefined;
  return CheckpointFile.open(options.checkpoint, await addressOf(options.database));
}

/** What a failed run had done before stands: it is shown, and the next run may go on from there. */
async function keepWhatWasDone(
  error: unknown,
  options: Options,
  file: CheckpointFile | undefined,
  output: Output,
): Promise<void> {
  if (!(error instanceof JanitorError) || !error.report) return;
  const { slices, uncertain, warnings } = error.report;
  if (slices === 0 && uncertain === undefined) {
    output.warnings(warnings);
    return;
  }
  show(error.report, options, output, !isLasting(error.code));
  await file?.settle(error.report).catch((second: unknown) => output.warnings([messageOf(second)]));
}

async function runJob(
  job: JobDescription,
  options: Options,
  checkpoint: Checkpoint | undefined,
  signal: AbortSignal,
  output: Output,
): Promise<Report> {
  const { concurrency } = options.bounds;
  const opened = await openStore(options.database, {
    readOnly: options.dryRun,
    ...defined({ concurrency }),
  });
  const bar = createProgressBar(process.stderr, !options.quiet && !options.json);
  try {
    const janitor = createJanitor({ store: opened.store, ...options.janitor });
    const plan = await janitor.plan(job.name, { ...options.judging, dryRun: options.dryRun });
    // Not before the run has begun: it may still refuse the checkpoint or a bound.
    const open = once(() => {
      output.lines([plan.opening]);
      output.warnings(plan.warnings);
    });
    const report = await janitor.run(job.name, {
      ...options.judging,
      ...options.bounds,
      ...defined({ checkpoint }),
      dryRun: options.dryRun,
      signal,
      onProgress: (progress) => {
        open();
        bar.show(progress);
      },
    });
    open();
    return report;
  } catch (error) {
    throw await about(error, job, options);
  } finally {
    bar.stop();
    await opened.close();
  }
}

/** Whoever reads of it in the log of all jobs has to be told which it was, and where. */
async function about(error: unknown, job: JobDescription, options: Options): Promise<unknown> {
  const isOfDatabase = (code: string) => code.startsWith("store_") || OF_SCHEMA.has(code);
  if (!(error instanceof JanitorError) || !isOfDatabase(error.code)) return error;
  const { code, message, cause, report } = error;
  const where = `${job.name} on \`${await addressOf(options.database)}\``;
  return new JanitorError(code, `${where}: ${message}`, { cause, ...defined({ report }) });
}

/** What is wrong with a database rather than with what was asked of it. */
const OF_SCHEMA: ReadonlySet<string> = new Set([
  "not_this_schema",
  "unsupported_schema",
  "unknown_reference",
  "cascade_cycle",
]);

function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (!done) work();
    done = true;
  };
}

function show(report: Report, options: Options, output: Output, goesOn = true): void {
  output.lines(reportLines(report, options.checkpoint, goesOn));
  output.warnings(report.warnings);
}
