/** What a run fails by, as one error. */

import { call, type Run } from "./core.ts";
import { JanitorError } from "./errors.ts";
import type { Report } from "./report.ts";
import { wordsOf } from "./words.ts";

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
  if (report.slices === 0) return atomic && known.code.startsWith("store_") ? withoutChange(known) : known;
  const rows = Object.values(report.removed).reduce((sum, count) => sum + count, 0);
  const done = report.dryRun
    ? "it was a dry run, and nothing was changed"
    : `${report.slices} slice(s) before it are done (${rows} rows removed), of the one in hand ${inHand(known, atomic)}; the next run goes on`;
  return new JanitorError(known.code, `${known.message}; ${done}`, { cause: known.cause ?? known, report });
}

function inHand(error: JanitorError, atomic: boolean): string {
  if (!atomic) return "some may be";
  return error.code === "store_unavailable" ? "all was changed or nothing" : "nothing was changed";
}

/** Of what the core refuses, it says so itself. */
function withoutChange(error: JanitorError): JanitorError {
  return new JanitorError(error.code, `${error.message}; nothing was changed`, {
    cause: error.cause ?? error,
  });
}
