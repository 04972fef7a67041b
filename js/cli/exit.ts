import { type ErrorCode, JanitorError } from "../errors.ts";

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

/** The message of any thrown value, on one line; of the operating system's errors what they say in words. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return oneLine(String(error));
  const isSystem = "syscall" in error && "errno" in error;
  const words = isSystem
    ? error.message.replace(/^[A-Z0-9]+: /, "").replace(/, \w+( '.*)?$/s, "")
    : error.message;
  return oneLine(words);
}

/** Text with every run of white space and control characters made one blank. */
export function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a file name must not steer the terminal
  return text.replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, " ").trim();
}
