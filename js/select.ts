import { call, selectStale as coreSelectStale } from "./core.ts";
import { toInstantText } from "./instants.ts";
import type { JobName, JobSettings } from "./janitor.ts";
import { toPlainRow } from "./rows.ts";
import type { Row } from "./store.ts";

/** How {@link selectStale} judges: the settings of the job, and by which instant. */
export type SelectOptions<J extends JobName = JobName> = NonNullable<JobSettings[J]> & {
  /** The instant to judge by, RFC 3339 text or a Date. Default: the clock. */
  readonly now?: string | Date;
};

/** The name under which the core takes the rows of a job's only table. */
const ONLY_TABLE = "*";

/**
 * The stale ones among rows that you hold, in their order; they themselves, not copies. Pure and synchronous.
 *
 * For a job about one table give an array. For `cleartokens` give the rows by table, those of
 * `oauth2_provider_refreshtoken`, `..._accesstoken`, `..._idtoken` and `..._grant`: what one step takes makes rows of
 * a later one stale. Instants are RFC 3339 text, Django's text, or Dates; NULL is `null`.
 *
 * @throws JanitorError `invalid_record` where a row lacks a field that the rule reads or holds something else in it,
 *   `not_this_schema` where the rows of a table are missing, and as a run does for its settings
 */
export function selectStale<R extends Row, J extends JobName>(
  job: J,
  rows: readonly R[],
  options?: SelectOptions<J>,
): R[];
export function selectStale<T extends Readonly<Record<string, readonly Row[]>>, J extends JobName>(
  job: J,
  tables: T,
  options?: SelectOptions<J>,
): { [Table in keyof T]: T[Table][number][] };
export function selectStale(
  job: JobName,
  given: readonly Row[] | Readonly<Record<string, readonly Row[]>>,
  options: SelectOptions = {},
): Row[] | Record<string, Row[]> {
  const { now, ...settings } = options;
  const request = { job, preset: "hidp", settings, clock: toInstantText(now ?? new Date()) ?? "" };
  const tables: Readonly<Record<string, readonly Row[]>> = isRows(given) ? { [ONLY_TABLE]: given } : given;
  const plain = Object.fromEntries(
    Object.entries(tables).map(([table, rows]) => [table, rows.map(toPlainRow)]),
  );
  const selected = Object.entries(call(() => coreSelectStale(request, plain)));
  if (isRows(given)) return selected.flatMap(([, positions]) => pick(given, positions));
  return Object.fromEntries(
    selected.map(([table, positions]) => [table, pick(tables[table] ?? [], positions)]),
  );
}

function isRows<R>(given: readonly R[] | object): given is readonly R[] {
  return Array.isArray(given);
}

function pick<R>(rows: readonly R[], positions: readonly number[]): R[] {
  return positions.flatMap((position) => rows.slice(position, position + 1));
}
