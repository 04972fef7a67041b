/**
 * Every night, on HIdP's PostgreSQL: removes what should no longer be there.
 *
 *   DATABASE_URL=postgres://janitor@db.example/idp node nightly.ts [--dry-run] [--max-seconds N]
 *
 * Prints one line of JSON for each job. Exit status: 0 done, 75 work left for the next run, 1 failed.
 *
 * Signing keys are not refreshed here: they are due every hour, and tables of PostgreSQL cannot cache them yet. That is
 * `idp-janitor refresh_oidc_clients_jwks … --cache redis://…`, in a line of its own in the crontab.
 */

import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Checkpoint, Janitor, JanitorError, JobName, RunOptions } from "idp-janitor";
import { createJanitor } from "idp-janitor";
import { pg } from "idp-janitor/adapters/pg";
import { Pool } from "pg";

const [DONE, FAILED, WORK_LEFT] = [0, 1, 75];

// Accounts go first: they take their tokens along, which then need not be judged.
const JOBS: readonly JobName[] = [
  "remove_stale_unverified_accounts",
  "remove_complete_and_stale_email_change_requests",
  "cleartokens",
  "clearsessions",
];

// The first signal ends the run after the slice in hand; the same again ends the process at once, which undoes that slice.
const stop = new AbortController();
for (const name of ["SIGTERM", "SIGINT"]) process.once(name, () => stop.abort());

async function main(): Promise<number> {
  // What it does not know it refuses, so that `--dryrun` is no real run.
  const { values } = parseArgs({
    options: { "dry-run": { type: "boolean" }, "max-seconds": { type: "string" } },
  });
  const maxSeconds = Number(values["max-seconds"] ?? 1800); // of each job
  const options = { signal: stop.signal, ...(values["dry-run"] ? { dryRun: true } : { maxSeconds }) };
  // Without an address the driver would look for a database on this machine, and might find one.
  const connectionString = process.env.DATABASE_URL;
  if (!connectionString) throw new Error("DATABASE_URL is not set");

  // One connection is for the work, the other for the lease that keeps a second run of the same job out.
  const pool = new Pool({ connectionString, max: 2, connectionTimeoutMillis: 10_000 });
  // When a connection breaks while nobody uses it, the next one to use it is told; unheard, this would end the process.
  pool.on("error", () => {});
  const store = pg(pool);
  try {
    await store.query("SELECT 1", []); // Where nobody lets us in, that is said once, and not by every job.
    const janitor = createJanitor({ store });
    const statuses: number[] = [];
    for (const job of JOBS) {
      // A job that fails does not keep the others from their work. A signal does.
      statuses.push(stop.signal.aborted ? WORK_LEFT : await perform(janitor, job, options));
    }
    return [FAILED, WORK_LEFT].find((status) => statuses.includes(status)) ?? DONE;
  } finally {
    await pool.end();
  }
}

async function perform(janitor: Janitor, job: JobName, options: RunOptions): Promise<number> {
  // The folder is what systemd makes for `StateDirectory=`. Every database needs its own: a checkpoint is of one database.
  const file = join(process.env.STATE_DIRECTORY ?? ".", `${job}.json`);
  try {
    const earlier = options.dryRun ? undefined : await readCheckpoint(file);
    const { checkpoint, ...report } = await janitor.run(job, { ...options, ...earlier });
    if (!options.dryRun) await keepCheckpoint(file, checkpoint);
    console.log(JSON.stringify(report)); // without the checkpoint, whose place can be a session's key
    return report.complete ? DONE : WORK_LEFT;
  } catch (error) {
    return failed(error, job);
  }
}

async function readCheckpoint(file: string): Promise<{ checkpoint: Checkpoint } | undefined> {
  const text = await readFile(file, "utf8").catch((error) => {
    if (error.code !== "ENOENT") throw error;
  });
  return text === undefined ? undefined : { checkpoint: JSON.parse(text) };
}

/** Under another name first: after a power cut there is the old one or the new one, and never half of one. */
async function keepCheckpoint(file: string, checkpoint: Checkpoint | undefined): Promise<void> {
  if (!checkpoint) return rm(file, { force: true });
  await writeFile(`${file}.new`, JSON.stringify(checkpoint), { mode: 0o600, flush: true });
  await rename(`${file}.new`, file);
}

/** One line and no stack: the messages are written for whoever reads them at night. */
function failed(error: unknown, job?: JobName): number {
  const { code, message } = error as JanitorError;
  console.error(JSON.stringify({ job, error: { code, message } }));
  return code === "store_leased" ? WORK_LEFT : FAILED; // leased: another run of the job is at it
}

process.exitCode = await main().catch((error: unknown) => failed(error));
