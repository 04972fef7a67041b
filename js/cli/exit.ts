import { type ErrorCode, JanitorError } from "../errors.ts";
import { messageOf } from "../message.ts";

/** The job is done. */
export const EXIT_DONE = 0;
/** The job failed; what it had done before stands. */
export const EXIT_FAILED = 1;
/** The command line, the configuration or the checkpoint is wrong; nothing was touched. */
const EXIT_WRONG_USE = 2;
/** A bound or a signal ended the run with work left, or another run is at it: run it again (EX_TEMPFAIL of sysexits.h). */
export const EXIT_WORK_LEFT = 75;

const WRONG_USE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "unknown_job",
  "unknown_setting",
  "invalid_setting",
  "invalid_instant",
  "too_few_statements",
  "invalid_checkpoint",
  "unknown_preset",
]);

/** The exit status that an error ends the process with. */
export function exitStatusOf(error: JanitorError): number {
  if (error.code === "store_leased") return EXIT_WORK_LEFT;
  return WRONG_USE.has(error.code) ? EXIT_WRONG_USE : EXIT_FAILED;
}

/** Any thrown value as the one error of the package; what is none of ours is a defect of ours. */
export function asJanitorError(error: unknown): JanitorError {
  if (error instanceof JanitorError) return error;
  return new JanitorError("internal", messageOf(error), { cause: error });
}
