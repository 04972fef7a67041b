import { createJanitor } from "../entry/node.ts";
import { JanitorError } from "../errors.ts";
import type { Diagnosis } from "../report.ts";
import { doctorLines, lacksTables } from "./doctor-text.ts";
import { EXIT_DONE, EXIT_FAILED } from "./exit.ts";
import { addressOf, openStore } from "./open-store.ts";
import type { Options } from "./options.ts";
import type { Output } from "./output.ts";
import type { OpenedStore } from "./stores/kind.ts";
import { defined } from "./values.ts";

/** `idp-janitor doctor` */
export async function doctorCommand(options: Options, output: Output): Promise<number> {
  const opened = await openStore(options.database, { readOnly: true });
  try {
    const janitor = createJanitor({ store: opened.store, ...options.janitor });
    const { now } = options.judging;
    const diagnosis = await janitor.examine(defined({ now }));
    const readOnly = await whyReadOnly(options);
    const warnings = [...diagnosis.warnings, ...readOnly];
    output.lines(doctorLines(diagnosis, await addressOf(options.database)));
    output.object({ ...diagnosis, warnings });
    output.warnings(warnings);
    return isHealthy(diagnosis) && readOnly.length === 0 ? EXIT_DONE : EXIT_FAILED;
  } finally {
    await opened.close();
  }
}

/** Why no job could change anything, if so: asked of a connection as jobs have them, and not of one that is to read alone. */
async function whyReadOnly({ database }: Options): Promise<string[]> {
  let opened: OpenedStore | undefined;
  try {
    opened = await openStore(database, { readOnly: false });
    await opened.store.batch([]);
    return [];
  } catch (error) {
    // Whatever else keeps it from being asked is no lasting matter.
    return error instanceof JanitorError && error.code === "store_read_only" ? [error.message] : [];
  } finally {
    await opened?.close();
  }
}

/** Whether every job whose tables are there can run. One without them is of another product, and no defect. */
function isHealthy({ jobs }: Diagnosis): boolean {
  return jobs.some(({ ready }) => ready) && jobs.every((job) => job.ready || lacksTables(job));
}
