import type { Row } from "./store.ts";

/** A row as the core reads it: a Date as RFC 3339 text, and no field that is undefined, for a missing one is no NULL. */
export function toPlainRow(row: Row): Row {
  const plain: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(row)) {
    if (value !== undefined) plain[name] = value instanceof Date ? value.toISOString() : value;
  }
  return plain;
}
