/** What PostgreSQL's failures mean, by their SQLSTATE, whatever the driver. */

import { JanitorError } from "../errors.ts";
import { messageOf } from "../message.ts";
import { failure, isOfNetwork, property, type StoreCode } from "./failure.ts";

/** Whole states, and classes of them by their first two characters. The whole state goes first. */
const CODES: Readonly<Record<string, StoreCode>> = {
  "08": "store_unavailable",
  "23": "store_constraint",
  "28": "store_denied",
  "25006": "store_read_only",
  // The server has ended the connection, which did nothing in a transaction, or all in all for too long.
  "25P03": "store_unavailable",
  "25P04": "store_timeout",
  "3D000": "store_missing",
  "40001": "store_conflict",
  "40003": "store_unavailable",
  "40P01": "store_conflict",
  "42501": "store_denied",
  "53300": "store_unavailable",
  "55P03": "store_locked",
  "57014": "store_timeout",
  "57P01": "store_unavailable",
  "57P02": "store_unavailable",
  "57P03": "store_unavailable",
  "57P04": "store_missing",
  "57P05": "store_unavailable",
};

/** States after which there is no connection any more. */
const ENDS: readonly string[] = ["08", "25P03", "25P04", "57P01", "57P02", "57P03", "57P04", "57P05"];

/** Codes of postgres.js for connections that are not, or no more. */
const DRIVER_CODES: readonly string[] = [
  "CONNECTION_CLOSED",
  "CONNECTION_ENDED",
  "CONNECTION_DESTROYED",
  "CONNECT_TIMEOUT",
];

/** What node-postgres and PGlite say of such, for want of codes. */
const DRIVER_WORDS =
  /^Connection terminated|not queryable$|^timeout exceeded when trying to connect$|^timeout expired$|after calling end on the pool$|does not support SSL connections$|^PGlite is clos/;

/** What Cloudflare's workerd says of sockets that it could not connect, or that broke. */
const WORKERD_WORDS = /^connection attempt failed|^proxy request failed|^Network connection lost/;

/** What Hyperdrive says in the server's place when it has no connection to that, whatever the state. */
const HYPERDRIVE_WORDS = /^Failed to acquire a connection from the pool|^Server connection attempt failed/;

/** The driver's error as a {@link JanitorError}. */
export function toJanitorError(error: unknown): JanitorError {
  return error instanceof JanitorError ? error : failure(codeOf(error), error);
}

/** Whether the connection is gone with this error. */
export function isLost(error: unknown): boolean {
  const state = stateOf(error);
  return state === undefined ? isOfConnection(error) : ENDS.some((end) => state.startsWith(end));
}

/** Whether the connection is gone with this error, or may be in a state that nobody knows. */
export function spoilsConnection(error: unknown): boolean {
  return stateOf(error) === undefined || isLost(error);
}

/** The five characters by which the server tells what failed; undefined where it was not the server. */
function stateOf(error: unknown): string | undefined {
  const code = property(error, "code");
  // Some of Node's own codes have five characters; no error of the server is without a severity.
  const isServers = property(error, "severity") !== undefined;
  return isServers && typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

function codeOf(error: unknown): StoreCode {
  const state = stateOf(error);
  if (state !== undefined) {
    if (HYPERDRIVE_WORDS.test(messageOf(error))) return "store_unavailable";
    if (state === "57014" && /user request/.test(messageOf(error))) return "store_failed";
    return CODES[state] ?? CODES[state.slice(0, 2)] ?? "store_failed";
  }
  // The client has given up, and the server has not: the slice may still take effect.
  if (messageOf(error) === "Query read timeout") return "store_unavailable";
  return isOfConnection(error) ? "store_unavailable" : "store_failed";
}

/** Whether an error that is not the server's says that there is no connection. */
function isOfConnection(error: unknown): boolean {
  return (
    isOfNetwork(error) ||
    DRIVER_CODES.includes(String(property(error, "code"))) ||
    DRIVER_WORDS.test(messageOf(error)) ||
    WORKERD_WORDS.test(messageOf(error))
  );
}
