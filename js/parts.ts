/** Which parts of a job that is fanned out are done, kept in a table of the database that it works on. */

import type { SqlStore } from "./store.ts";

/** What has become of a sweep, or of a whole run, besides its parts. */
export type Mark =
  /** The run has begun. */
  | "begun"
  /** The messages of the sweep's parts have been sent. */
  | "cut"
  /** The message of the sweep after it has been sent. */
  | "followed"
  /** The run has ended. */
  | "ended";

/** Marks stand in the place of a part. Those of a run are at its first sweep. */
const MARKS: Readonly<Record<Mark, number>> = { begun: -1, cut: -2, followed: -3, ended: -4 };

const CREATE = `CREATE TABLE IF NOT EXISTS idp_janitor_parts
  (run VARCHAR(100) NOT NULL, step INTEGER NOT NULL, part INTEGER NOT NULL, PRIMARY KEY (run, step, part))`;

/** Adds a row, which may be there already. */
const ADD: Readonly<Record<SqlStore["dialect"], string>> = {
  sqlite: "INSERT INTO idp_janitor_parts (run, step, part) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
  postgres: "INSERT INTO idp_janitor_parts (run, step, part) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
  mysql: "INSERT IGNORE INTO idp_janitor_parts (run, step, part) VALUES (?, ?, ?)",
};

/** The parts of the runs of a store. Each method throws a JanitorError with a `store_*` code where the store fails. */
export class PartTable {
  readonly #store: SqlStore;

  constructor(store: SqlStore) {
    this.#store = store;
  }

  /** Makes the table where there is none. */
  async make(): Promise<void> {
    await this.#store.batch([{ sql: CREATE, params: [] }]);
  }

  /** Every run that has left something here, and whether it has ended. */
  async runs(): Promise<ReadonlyMap<string, boolean>> {
    const ended = `max(CASE part WHEN ${MARKS.ended} THEN 1 ELSE 0 END)`;
    const { rows } = await this.#store.query(`SELECT run, ${ended} FROM idp_janitor_parts GROUP BY run`, []);
    return new Map(rows.map(([run, isEnded]) => [String(run), Number(isEnded) === 1]));
  }

  /** Notes that a part of a sweep is done. */
  async done(run: string, step: number, part: number): Promise<void> {
    await this.#store.batch([{ sql: ADD[this.#store.dialect], params: [run, step, part] }]);
  }

  /** Sets a mark. */
  async mark(run: string, step: number, mark: Mark): Promise<void> {
    await this.done(run, step, MARKS[mark]);
  }

  /** How many parts of a sweep are done, and which marks it has. */
  async read(run: string, step: number): Promise<{ readonly done: number; has(mark: Mark): boolean }> {
    const sql = `SELECT part FROM idp_janitor_parts WHERE run = ${this.#nth(1)} AND step = ${this.#nth(2)}`;
    const parts = (await this.#store.query(sql, [run, step])).rows.map(([part]) => Number(part));
    return { done: parts.filter((part) => part >= 0).length, has: (mark) => parts.includes(MARKS[mark]) };
  }

  /** Removes what a run has left. */
  async forget(run: string): Promise<void> {
    const sql = `DELETE FROM idp_janitor_parts WHERE run = ${this.#nth(1)}`;
    await this.#store.batch([{ sql, params: [run] }]);
  }

  #nth(position: number): string {
    return this.#store.dialect === "postgres" ? `$${position}` : "?";
  }
}
