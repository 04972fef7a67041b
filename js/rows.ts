import type { Row } from "./store.ts";

/** A row as the core reads it: a Date as RFC 3339 text, and no field that is undefined, for a missing one is no NULL. */
export function toPlainRow(row: Row): Row {
  const plain: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(row)) {
    // An invalid Date cannot be judged, and the core says so of anything that is no instant.
    if (value !== undefined) plain[name] = value instanceof Date ? (value.toJSON() ?? "Invalid Date") : value;
  }
  return plain;
}
