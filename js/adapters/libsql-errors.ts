/** What failures of libSQL's client mean, whether the database is a file or behind a server. */

import { JanitorError } from "../errors.ts";
import { failure, isOfNetwork, property, type StoreCode } from "./failure.ts";
import { codeOfName, sqliteFailure } from "./sqlite-errors.ts";

/** The client's own codes for connections that are not, or no more. */
const LOST: readonly string[] = ["CLIENT_CLOSED", "HRANA_CLOSED_ERROR", "HRANA_WEBSOCKET_ERROR"];

/** What `fetch` of one engine or another says where it gets no answer; always in a TypeError. */
const NO_ANSWER = /fetch|network|load failed|unable to connect/i;

/** The client's error as a {@link JanitorError}. */
export function toJanitorError(error: unknown): JanitorError {
  if (error instanceof JanitorError) return error;
  // An integer that the client will not give as a number.
  if (error instanceof RangeError) {
    const advice = `${error.message}: make the libSQL client with \`intMode: "bigint"\``;
    return new JanitorError("store_failed", advice, { cause: error });
  }
  const code = ofServer(error);
  if (code) return failure(code, error);
  const name = String(property(error, "code")).split("_")[1] ?? "";
  const number = property(error, "rawCode");
  return sqliteFailure(error, typeof number === "number" ? number : codeOfName(name));
}

/** What is said of or by a server, and not by SQLite. */
function ofServer(error: unknown): StoreCode | undefined {
  const cause = property(error, "cause");
  const status = Number(property(cause, "status"));
  if (status === 401 || status === 403) return "store_denied";
  if (status === 404) return "store_missing";
  const isLost =
    LOST.includes(String(property(error, "code"))) ||
    (error instanceof TypeError && NO_ANSWER.test(error.message)) ||
    isOfNetwork(error) ||
    isOfNetwork(cause);
  return isLost || status >= 500 ? "store_unavailable" : undefined;
}
