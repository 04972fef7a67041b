// Whether a database holds what it must after jobs have run on it, whoever else has changed it meanwhile.

import type { JobName } from "idp-janitor";
import { connect } from "../support/server-query.ts";
import { brokenKeys, type ForeignKey, foreignKeys, letsGo } from "./foreign-keys.ts";
import { type Known, type Row, readRows } from "./rows.ts";
import { type IsStale, RULES } from "./rules.ts";

export interface Verdict {
  /** What is not as it must be; each a sentence. */
  readonly wrong: readonly string[];
  /** How many rows of each table are gone that nobody has told of: those that the job took. */
  readonly taken: Readonly<Record<string, number>>;
  /** Of these, those that are gone without a reason. */
  readonly lost: Readonly<Record<string, number>>;
  /** How many rows are stale and there. */
  readonly stale: number;
  /** Whether the row of a table with that key is there. */
  readonly isThere: IsThere;
}

type IsThere = (table: string, key: string) => boolean;

/**
 * Judges a database after a job: every row that is gone has a reason that still holds of what was last committed of it, every
 * row that is there is as it was last committed, and no key is broken.
 */
export async function judgeRows(url: string, job: JobName, known: Known): Promise<Verdict> {
  const after = await readRows(url);
  const keys = await keysOf(url);
  const isThere: IsThere = (table, key) => after.get(table)?.has(key) ?? false;
  const rules = RULES[job]?.(known.rows, isThere) ?? {};
  const wrong = await brokenKeys(url);
  const taken: Record<string, number> = {};
  const lost: Record<string, number> = {};
  let stale = 0;
  for (const [table, rows] of known.rows) {
    const pointing = keys.filter((key) => key.table === table);
    for (const [key, row] of rows) {
      const left = after.get(table)?.get(key);
      if (known.isGone(table, key)) {
        if (left) wrong.push(`${table} ${key} is back`);
      } else if (left) {
        wrong.push(...differences(table, row, left, pointing, isThere));
        if (rules[table]?.(row)) stale += 1;
      } else {
        taken[table] = (taken[table] ?? 0) + 1;
        if (mayGo(row, rules[table], pointing, isThere)) continue;
        lost[table] = (lost[table] ?? 0) + 1;
        wrong.push(`${table} ${JSON.stringify(row)} is gone without a reason`);
      }
    }
  }
  for (const [table, rows] of after) {
    for (const key of rows.keys()) {
      if (!known.rows.get(table)?.has(key)) wrong.push(`${table} ${key} was never committed`);
    }
  }
  return { wrong, taken, lost, stale, isThere };
}

/** It was stale, or pointed at something that is gone and that it goes along with. */
function mayGo(
  row: Row,
  isStale: IsStale | undefined,
  keys: readonly ForeignKey[],
  isThere: IsThere,
): boolean {
  if (isStale?.(row)) return true;
  return keys.some((key) => {
    const target = row[key.column];
    return !letsGo(key) && target != null && !isThere(key.references, target);
  });
}

function differences(
  table: string,
  expected: Row,
  actual: Row,
  keys: readonly ForeignKey[],
  isThere: IsThere,
): string[] {
  return Object.entries(expected).flatMap(([column, value]) => {
    const found = actual[column] ?? null;
    const key = keys.find((key) => key.column === column);
    const isLoose = key && letsGo(key) && value !== null && !isThere(key.references, value);
    if (found === (isLoose ? null : value)) return [];
    return [`${table} ${JSON.stringify(actual)} has ${column} = ${found}, and not ${value}`];
  });
}

async function keysOf(url: string): Promise<ForeignKey[]> {
  const connection = await connect(url);
  try {
    return await foreignKeys(connection);
  } finally {
    await connection.end();
  }
}
