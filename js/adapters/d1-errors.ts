/** What failures of D1 mean to whoever runs a job. D1 tells them by their text alone. */

import { JanitorError } from "../errors.ts";
import { messageOf } from "../message.ts";
import { failure, type StoreCode } from "./failure.ts";
import { codeOfName, sqliteFailure } from "./sqlite-errors.ts";

/** What D1 says itself, and what it means ("Debug D1" in Cloudflare's documentation). */
const SAID: readonly (readonly [RegExp, StoreCode])[] = [
  [/exceeded (its|timeout)/i, "store_timeout"],
  [/connection lost|caused object to be reset|code was updated|transient/i, "store_unavailable"],
  [/overloaded|too many requests queued|internal error/i, "store_unavailable"],
  [/not authorized/i, "store_denied"],
];

/** The free plan's rows of the day, read or written. */
const OF_THE_DAY = /daily|free tier/i;

/** The error as a {@link JanitorError}. */
export function toJanitorError(error: unknown): JanitorError {
  if (error instanceof JanitorError) return error;
  const message = messageOf(error);
  // What SQLite says has names of tables in it.
  if (OF_THE_DAY.test(message) && /limit/i.test(message) && !/SQLITE_/.test(message)) {
    const what = `the plan's rows of D1 are used up until 00:00 UTC (${message})`;
    return new JanitorError("store_quota", what, { cause: error });
  }
  const said = SAID.find(([text]) => text.test(message));
  if (said) return failure(said[1], error);
  const [, name = ""] = /SQLITE_([A-Z]+)/.exec(message) ?? [];
  return sqliteFailure(error, codeOfName(name));
}
