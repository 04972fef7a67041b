/** What a failure means to whoever runs a job: what the adapters of database servers share. */

import { type ErrorCode, JanitorError } from "../errors.ts";
import { messageOf } from "../message.ts";

/** The codes that a driver's error can be given. */
export type StoreCode = Extract<ErrorCode, `store_${string}`>;

/** What a person is told, before the words of the server or driver. */
const WHAT: Readonly<Partial<Record<StoreCode, string>>> = {
  store_constraint: "the database refused the change by a constraint",
  store_conflict: "the database undid the transaction because of others",
  store_locked: "somebody else holds a lock for longer than we wait",
  store_timeout: "a statement took longer than it may",
  store_unavailable: "the database cannot be reached, or the connection was lost",
  store_denied: "the database does not let this role in, or not do this",
  store_read_only: "the database cannot be written to",
  store_missing: "there is no such database",
};

/** What Node calls connections that cannot be made, are not trusted, or break. */
const NETWORK: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "ENETUNREACH",
  "ENETDOWN",
  "ENOENT",
  "EACCES",
  "ERR_STREAM_DESTROYED",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

/**
 * A driver's error as a {@link JanitorError}: one line that says what failed in the server's own words, with the error as
 * its cause.
 */
export function failure(code: StoreCode, error: unknown): JanitorError {
  const what = WHAT[code];
  const message = messageOf(error);
  return new JanitorError(code, what ? `${what} (${message})` : `the database failed: ${message}`, {
    cause: error,
  });
}

/** Whether an error is of the network: the connection could not be made, or is gone. */
export function isOfNetwork(error: unknown): boolean {
  return NETWORK.has(String(property(error, "code")));
}

/** A property of an error, whatever it is; undefined where there is none. */
export function property(error: unknown, name: string): unknown {
  return typeof error === "object" && error !== null ? Reflect.get(error, name) : undefined;
}

/** Refuses a connection that is in a transaction of somebody else, which is not ours to end. */
export function notAlone(): JanitorError {
  const message =
    "the connection is in a transaction of somebody else: give idp-janitor a connection of its own";
  return new JanitorError("store_failed", message);
}
