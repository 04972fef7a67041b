/** What a run fails by, as one error. */

import { call, type Run } from "./core.ts";
import { isLasting, JanitorError } from "./errors.ts";
import type { Report } from "./report.ts";
import { wordsOf } from "./words.ts";

const UNTOUCHED = "nothing was changed";

/**
 * The error, with the report of what had been done before and a word on what that means.
 *
 * @param atomic whether slices of the store are atomic units
 */
export function runFailure(error: unknown, run: Run, atomic: boolean): JanitorError {
  const known =
    error instanceof JanitorError
      ? error
      : new JanitorError("store_failed", wordsOf(error), { cause: error });
  let report: Report;
  try {
    report = call(() => run.fail());
  } catch {
    return known;
  }
  const uncertain = report.uncertain ?? 0;
  if (report.slices === 0 && uncertain === 0) {
    // Of what the core refuses, it says so itself.
    if (!atomic || !known.code.startsWith("store_")) return known;
    const message = known.message.endsWith(UNTOUCHED) ? known.message : `${known.message}; ${UNTOUCHED}`;
    return new JanitorError(known.code, message, { cause: known.cause ?? known, report });
  }
  const rows = Object.values(report.removed).reduce((sum, count) => sum + count, 0);
  const done = report.dryRun
    ? "it was a dry run, and nothing was changed"
    : `${report.slices} slice(s) before it are done (${rows} rows removed), of ${uncertain > 0 ? `${uncertain} more` : "the one in hand"} ${inHand(uncertain, atomic)}; the next run goes on${isLasting(known.code) ? ", once that is put right" : ""}`;
  return new JanitorError(known.code, `${known.message}; ${done}`, { cause: known.cause ?? known, report });
}

function inHand(uncertain: number, atomic: boolean): string {
  if (!atomic) return "some may be";
  return uncertain > 0 ? "all was changed or nothing" : UNTOUCHED;
}
