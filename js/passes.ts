/** The passes of jobs, kept in a table of the database that the jobs work on, for hosts that are started again and again. */

import { JanitorError } from "./errors.ts";
import { makeTable, placeholders } from "./own-table.ts";
import type { Checkpoint } from "./report.ts";
import type { SqlStore, SqlValue } from "./store.ts";

/** The last pass of a job, or the one that is under way. */
export interface Pass {
  /** The job's name. */
  readonly job: string;
  /** The instant that it judges by, RFC 3339: when it began. */
  readonly began: string;
  /** When it ended, RFC 3339; absent while it is under way. */
  readonly ended?: string;
  /** Where it goes on; absent once it is done. */
  readonly checkpoint?: Checkpoint;
}

const CREATE = `CREATE TABLE IF NOT EXISTS idp_janitor_passes
  (job VARCHAR(64) NOT NULL PRIMARY KEY, began TEXT NOT NULL, ended TEXT, checkpoint TEXT)`;

const READ = "SELECT job, began, ended, checkpoint FROM idp_janitor_passes";

const COLUMNS = "idp_janitor_passes (job, began, ended, checkpoint)";

/** Sets the row of a job. */
function write(store: SqlStore): string {
  const values = `VALUES (${placeholders(store, 4)})`;
  if (store.dialect === "mysql") return `REPLACE INTO ${COLUMNS} ${values}`;
  return `INSERT INTO ${COLUMNS} ${values} ON CONFLICT (job)
    DO UPDATE SET began = excluded.began, ended = excluded.ended, checkpoint = excluded.checkpoint`;
}

/**
 * The passes by their jobs. The first call makes the table.
 *
 * @throws JanitorError with a `store_*` code; nothing was changed
 */
export async function readPasses(store: SqlStore): Promise<ReadonlyMap<string, Pass>> {
  const rows = await store.query(READ, []).then(
    (result) => result.rows,
    async (error: unknown) => {
      // There is no table yet, as a rule. What else was wrong, making it will tell.
      if (!(error instanceof JanitorError && error.code === "store_failed")) throw error;
      await makeTable(store, CREATE);
      return (await store.query(READ, [])).rows;
    },
  );
  return new Map(rows.map((row) => [String(row[0]), passOf(row)]));
}

/**
 * Keeps a pass in the place of the last one of its job.
 *
 * @throws JanitorError with a `store_*` code; nothing was changed
 */
export async function writePass(store: SqlStore, pass: Pass): Promise<void> {
  const checkpoint = pass.checkpoint ? JSON.stringify(pass.checkpoint) : null;
  const params = [pass.job, pass.began, pass.ended ?? null, checkpoint];
  await store.batch([{ sql: write(store), params }]);
}

function passOf([job, began, ended, checkpoint]: readonly SqlValue[]): Pass {
  const pass = {
    job: String(job),
    began: String(began),
    ...(typeof ended === "string" ? { ended } : {}),
  };
  return typeof checkpoint === "string"
    ? { ...pass, checkpoint: JSON.parse(checkpoint) as Checkpoint }
    : pass;
}
