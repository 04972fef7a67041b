import { createJanitor } from "../entry/node.ts";
import type { Diagnosis } from "../report.ts";
import { doctorLines, lacksTables } from "./doctor-text.ts";
import { EXIT_DONE, EXIT_FAILED } from "./exit.ts";
import { addressOf, openStore } from "./open-store.ts";
import type { Options } from "./options.ts";
import type { Output } from "./output.ts";
import { defined } from "./values.ts";

/** `idp-janitor doctor` */
export async function doctorCommand(options: Options, output: Output): Promise<number> {
  const opened = await openStore(options.database, { readOnly: true });
  try {
    const janitor = createJanitor({ store: opened.store, ...options.janitor });
    const { now } = options.judging;
    const diagnosis = await janitor.examine(defined({ now }));
    output.lines(doctorLines(diagnosis, await addressOf(options.database)));
    output.object(diagnosis);
    output.warnings(diagnosis.warnings);
    return isHealthy(diagnosis) ? EXIT_DONE : EXIT_FAILED;
  } finally {
    await opened.close();
  }
}

/** Whether every job whose tables are there can run. One without them is of another product, and no defect. */
function isHealthy({ jobs }: Diagnosis): boolean {
  return jobs.some(({ ready }) => ready) && jobs.every((job) => job.ready || lacksTables(job));
}
