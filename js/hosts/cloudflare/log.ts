/** What hosts on Cloudflare log. */

import { JanitorError } from "../../errors.ts";
import { wordsOf } from "../../words.ts";

/** What a log says about an error. */
export interface PlainError {
  /** The code of a JanitorError, and `internal` for any other. */
  readonly code: string;
  readonly message: string;
}

/** An error as plain data. */
export function plainError(error: unknown): PlainError {
  const code = error instanceof JanitorError ? error.code : "internal";
  return { code, message: wordsOf(error) };
}

/** Prints an entry as one line of JSON, which Workers Logs takes apart again. */
export function print<E extends { readonly event: "idp-janitor"; readonly outcome: string }>(entry: E): void {
  (entry.outcome === "failed" ? console.error : console.log)(JSON.stringify(entry));
}
