import { deepStrictEqual } from "node:assert/strict";
import type { DatabaseSync } from "node:sqlite";

/** Number of rows by table. */
export type Counts = Readonly<Record<string, number>>;

/** Collects what was checked and what came of it: claims, and where each of them did not hold. */
export class Checks {
  readonly #failures = new Map<string, string[]>();

  /** Checks that a claim holds for a subject: that two things are equal, the order of properties aside. */
  same(claim: string, subject: string, actual: unknown, expected: unknown): void {
    const failures = this.#failures.get(claim) ?? [];
    this.#failures.set(claim, failures);
    try {
      // The driver's rows have no prototype, so both sides are compared as plain data.
      deepStrictEqual(structuredClone(actual), structuredClone(expected));
    } catch {
      failures.push(`${subject}: ${JSON.stringify(actual)}, not ${JSON.stringify(expected)}`);
    }
  }

  get failed(): boolean {
    return [...this.#failures.values()].some((failures) => failures.length > 0);
  }

  lines(): string[] {
    return [...this.#failures].flatMap(([claim, failures]) =>
      failures.length === 0
        ? [`ok      ${claim}`]
        : failures.map((failure) => `FAILED  ${claim}: ${failure}`),
    );
  }
}

/** Counts the rows of every table, without help from what is being checked. */
export function countRows(database: DatabaseSync): Counts {
  const tables = database
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'")
    .all()
    .map(({ name }) => String(name));
  return Object.fromEntries(
    tables.map((table) => [
      table,
      Number(database.prepare(`SELECT count(*) AS rows FROM "${table}"`).get()?.rows),
    ]),
  );
}

/** How many rows each table has lost; tables that lost none are absent. */
export function difference(before: Counts, after: Counts): Counts {
  const lost = Object.entries(before).map(([table, rows]): [string, number] => [
    table,
    rows - (after[table] ?? 0),
  ]);
  return Object.fromEntries(lost.filter(([, rows]) => rows !== 0));
}
