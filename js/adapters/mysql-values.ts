/** Values as they cross between the core and the driver mysql2. */

import { JanitorError } from "../errors.ts";
import type { SqlValue } from "../store.ts";
import { toHex } from "./hex.ts";
import { toInteger } from "./integers.ts";

/** A value of a row before it is read. It can be read once. */
export interface Mysql2Field {
  readonly type: string;
  /** `json` where MariaDB tells. */
  readonly extendedFormat?: string | undefined;
  string(encoding?: string): string | null;
  buffer(): Uint8Array | null;
}

/** How rows are read, whatever the connection is set to. */
export const READING = {
  rowsAsArray: true,
  nestTables: false,
  supportBigNumbers: true,
  bigNumberStrings: true,
  dateStrings: true,
  typeCast: read,
} as const;

/** What the driver would make dates, floats or objects of, and is text. */
const TEXTS: readonly string[] = [
  "DECIMAL",
  "NEWDECIMAL",
  "DATE",
  "NEWDATE",
  "DATETIME",
  "TIMESTAMP",
  "TIME",
];
const BYTES: readonly string[] = ["GEOMETRY", "VECTOR", "BIT"];

/** Integers exactly, floats and bytes as such, anything else as the text that it is. */
function read(field: Mysql2Field, next: () => unknown): unknown {
  if (TEXTS.includes(field.type)) return field.string("ascii");
  if (BYTES.includes(field.type)) return field.buffer();
  if (field.type === "JSON") return field.string("utf8");
  if (field.extendedFormat === "json") return field.string();
  const value = next();
  return field.type === "LONGLONG" && typeof value === "string" ? toInteger(value) : value;
}

/** What holds no placeholder, and a placeholder: strings, names, comments; `?`. */
const PIECES = /'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|--\s[^\n]*|#[^\n]*|\/\*[\s\S]*?\*\/|\?/g;

/**
 * A statement with its parameters in it, each written so that no mode of the server reads it otherwise, and no setting of
 * the driver writes it otherwise. (Prepared, it would take a round trip more, and come back by the driver's other, less
 * exact way of reading rows.)
 *
 * @throws JanitorError `internal` where there is not one placeholder for each, or where a backslash makes that unknowable
 */
export function filled(sql: string, params: readonly SqlValue[]): string {
  let at = 0;
  const text = sql.replace(PIECES, (piece) => {
    if (piece !== "?") return piece;
    at += 1;
    return literal(params[at - 1] ?? null);
  });
  if (at === params.length && !sql.includes("\\")) return text;
  const message = `${params.length} parameters for ${at} placeholders, or a backslash beside them; this is a defect of idp-janitor`;
  throw new JanitorError("internal", message);
}

function literal(value: SqlValue): string {
  if (value === null) return "NULL";
  if (typeof value === "boolean") return value ? "1" : "0";
  if (typeof value === "string") return `_utf8mb4 X'${toHex(new TextEncoder().encode(value))}'`;
  if (value instanceof Uint8Array) return `X'${toHex(value)}'`;
  const digits = typeof value === "number" && !Number.isInteger(value) ? toFloat(value) : BigInt(value);
  return value < 0 ? `(${digits})` : `${digits}`;
}

/** With an exponent, for it is a decimal without. */
function toFloat(value: number): string {
  if (!Number.isFinite(value)) throw new JanitorError("internal", `${value} is no value of MySQL`);
  return /e/.test(String(value)) ? String(value) : `${value}e0`;
}
