/** What failures of MySQL and MariaDB mean, by the number that the server gives them. */

import { JanitorError } from "../errors.ts";
import { messageOf } from "../message.ts";
import { failure, isOfNetwork, property, type StoreCode } from "./failure.ts";

const NUMBERS: Readonly<Partial<Record<StoreCode, readonly number[]>>> = {
  // Duplicates; NULL where there is none; keys that others refer to, or that refer to none; checks, of MySQL and of MariaDB.
  store_constraint: [1022, 1048, 1062, 1169, 1216, 1217, 1451, 1452, 1557, 1586, 1761, 1762, 3819, 4025],
  // A deadlock; a row that changed since the snapshot (MariaDB).
  store_conflict: [1020, 1213],
  store_locked: [1205, 3572],
  // MariaDB, MySQL.
  store_timeout: [1969, 3024],
  store_denied: [1044, 1045, 1130, 1142, 1143, 1227, 1370, 1410, 1698, 3118, 3878, 4151],
  store_read_only: [1223, 1290, 1792, 1836, 1874, 3906],
  store_missing: [1049],
  // Too many connections, of all and of a role; shutting down; lost; killed; idle for too long.
  store_unavailable: [
    1040, 1053, 1080, 1129, 1152, 1158, 1159, 1160, 1161, 1203, 1226, 1927, 2006, 2013, 4031,
  ],
};

const CODES: ReadonlyMap<unknown, StoreCode> = new Map(
  (Object.entries(NUMBERS) as [StoreCode, readonly number[]][]).flatMap(([code, numbers]) =>
    numbers.map((number) => [number, code] as const),
  ),
);

/** A statement that cannot be in a transaction. */
const IN_TRANSACTION = 1568;

/** What the driver says of connections and pools that are closed or full, for want of codes. */
const DRIVER_WORDS =
  /closed state|^Pool is closed|^No connections available|^Queue limit reached|connection (is )?closed/i;

/** The driver's error as a {@link JanitorError}. */
export function toJanitorError(error: unknown): JanitorError {
  return error instanceof JanitorError ? error : failure(codeOf(error), error);
}

/** Whether an error says that a transaction is in progress where there should be none. */
export function isInTransaction(error: unknown): boolean {
  return property(error, "errno") === IN_TRANSACTION;
}

/** Whether the connection is gone with this error, or in a state that nobody knows. */
export function endsConnection(error: unknown): boolean {
  if (property(error, "fatal") === true) return true;
  const isServers = typeof property(error, "errno") === "number" && property(error, "sqlState") !== undefined;
  return !isServers || codeOf(error) === "store_unavailable";
}

function codeOf(error: unknown): StoreCode {
  const known = CODES.get(property(error, "errno"));
  if (known) return known;
  const isLost =
    isOfNetwork(error) ||
    String(property(error, "code")).startsWith("PROTOCOL_") ||
    property(error, "code") === "HANDSHAKE_NO_SSL_SUPPORT" ||
    DRIVER_WORDS.test(messageOf(error));
  return isLost ? "store_unavailable" : "store_failed";
}
