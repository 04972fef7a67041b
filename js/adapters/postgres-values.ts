/** Values as they cross between the core and PostgreSQL: as the text of its protocol, both ways, whatever the driver. */

import type { SqlValue } from "../store.ts";
import { toHex } from "./hex.ts";
import { toInteger } from "./integers.ts";

/** A parameter whose type the server finds out itself, as it does that of a quoted literal. */
export const UNKNOWN_TYPE = 705;

const BOOLEAN = 16;
const BYTES = 17;
const TIMESTAMPTZ = 1184;
/** `bigint`, `smallint`, `integer`, `oid` */
const INTEGERS: readonly number[] = [20, 21, 23, 26];
/** `real`, `double precision`: the server writes them so that they are read back the same. */
const FLOATS: readonly number[] = [700, 701];

/**
 * A value of the server, by the object id of its type: integers exactly, booleans, floats and bytes as such, anything
 * else as the text that it is. A `timestamptz` is given in UTC whatever the zone of the connection; that takes PostgreSQL's own
 * `DateStyle`, ISO.
 */
export function fromText(text: string | null, type: number): SqlValue {
  if (text === null) return null;
  if (INTEGERS.includes(type)) return toInteger(text);
  if (FLOATS.includes(type)) return Number(text);
  if (type === BOOLEAN) return text === "t";
  if (type === BYTES && text.startsWith("\\x")) return toBytes(text.slice(2));
  return type === TIMESTAMPTZ ? inUtc(text) : text;
}

/** A parameter as text, which the server reads by the type that it is compared with or put into. */
export function toText(value: SqlValue): string | null {
  if (value === null) return null;
  return value instanceof Uint8Array ? `\\x${toHex(value)}` : String(value);
}

function toBytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

const INSTANT =
  /^(\d{4,})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(\.\d+)?([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?( BC)?$/;

/** The same instant in UTC, its microseconds untouched. `infinity` and the like stay as they are. */
function inUtc(text: string): string {
  const [, year, month, day, hour, minute, second, fraction = "", sign, ...rest] = INSTANT.exec(text) ?? [];
  if (year === undefined) return text;
  const [hours, minutes = "0", seconds = "0", bc] = rest;
  const offset = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  if (offset === 0) return text;
  // Of dates, JavaScript knows whole ones with a year 0; the fraction goes round it.
  const date = new Date(0);
  date.setUTCFullYear(bc ? 1 - Number(year) : Number(year), Number(month) - 1, Number(day));
  date.setUTCHours(Number(hour), Number(minute), Number(second) + (sign === "-" ? offset : -offset));
  return Number.isNaN(date.getTime()) ? text : written(date, fraction);
}

function written(date: Date, fraction: string): string {
  const two = (part: number) => String(part).padStart(2, "0");
  const year = date.getUTCFullYear();
  const day = [
    String(year > 0 ? year : 1 - year).padStart(4, "0"),
    two(date.getUTCMonth() + 1),
    two(date.getUTCDate()),
  ];
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two);
  return `${day.join("-")} ${time.join(":")}${fraction}+00${year > 0 ? "" : " BC"}`;
}
