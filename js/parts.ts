/** The parts of jobs that are fanned out, kept in a table of the database that the jobs work on. */

import { JanitorError } from "./errors.ts";
import type { Checkpoint } from "./report.ts";
import type { SqlStore, SqlValue, Statement } from "./store.ts";

/** What has become of a sweep, or of a whole run, besides its parts. */
export type Mark =
  /** The run has begun. */
  | "begun"
  /** The sweep has its parts. */
  | "cut"
  /** The message of the sweep after it has been sent. */
  | "followed"
  /** The run has ended. */
  | "ended";

/** A part of a sweep. */
export interface Part {
  readonly part: number;
  readonly isDone: boolean;
  readonly checkpoint: Checkpoint;
}

/** Marks stand in the place of a part. Those of a run are at its first sweep. */
const MARKS: Readonly<Record<Mark, number>> = { begun: -1, cut: -2, followed: -3, ended: -4 };

const CREATE = `CREATE TABLE IF NOT EXISTS idp_janitor_parts
  (run VARCHAR(100) NOT NULL, step INTEGER NOT NULL, part INTEGER NOT NULL, done INTEGER NOT NULL, checkpoint TEXT,
  PRIMARY KEY (run, step, part))`;

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

  /** The marks of a sweep. */
  async marks(run: string, step: number): Promise<ReadonlySet<Mark>> {
    const rows = await this.#select(run, step, "part < 0");
    const parts = rows.map(([part]) => Number(part));
    const names: readonly Mark[] = ["begun", "cut", "followed", "ended"];
    return new Set(names.filter((name) => parts.includes(MARKS[name])));
  }

  /** Sets a mark, which may be there already. */
  async mark(run: string, step: number, mark: Mark): Promise<void> {
    await this.#addOnce([this.#add(run, step, MARKS[mark], null)]);
  }

  /**
   * Gives a sweep its parts, unless it has some: whoever comes second, at the same moment even, gets those of the first, for the
   * table may have grown meanwhile, and parts of two cuts would leave gaps between them.
   */
  async cut(run: string, step: number, checkpoints: readonly Checkpoint[]): Promise<readonly Part[]> {
    await this.#addOnce([
      this.#add(run, step, MARKS.cut, null),
      ...checkpoints.map((checkpoint, part) => this.#add(run, step, part, JSON.stringify(checkpoint))),
    ]);
    return this.parts(run, step);
  }

  /** The parts of a sweep. */
  async parts(run: string, step: number): Promise<readonly Part[]> {
    const rows = await this.#select(run, step, "part >= 0");
    return rows.map(([part, done, checkpoint]) => ({
      part: Number(part),
      isDone: Number(done) === 1,
      checkpoint: JSON.parse(String(checkpoint)) as Checkpoint,
    }));
  }

  /** Notes that a part is done. */
  async done(run: string, step: number, part: number): Promise<void> {
    const where = ["run", "step", "part"].map((name, at) => `${name} = ${this.#nth(at + 1)}`).join(" AND ");
    await this.#store.batch([
      { sql: `UPDATE idp_janitor_parts SET done = 1 WHERE ${where}`, params: [run, step, part] },
    ]);
  }

  /** Removes what a run has left. */
  async forget(run: string): Promise<void> {
    const sql = `DELETE FROM idp_janitor_parts WHERE run = ${this.#nth(1)}`;
    await this.#store.batch([{ sql, params: [run] }]);
  }

  #add(run: string, step: number, part: number, checkpoint: string | null): Statement {
    const places = [1, 2, 3, 4].map((position) => this.#nth(position));
    return {
      sql: `INSERT INTO idp_janitor_parts (run, step, part, checkpoint, done) VALUES (${places.join(", ")}, 0)`,
      params: [run, step, part, checkpoint],
    };
  }

  /** All of it, or nothing where the first is there already. */
  async #addOnce(statements: readonly Statement[]): Promise<void> {
    try {
      await this.#store.batch(statements);
    } catch (error) {
      if (!(error instanceof JanitorError && error.code === "store_constraint")) throw error;
    }
  }

  async #select(run: string, step: number, which: string): Promise<SqlValue[][]> {
    const sql = `SELECT part, done, checkpoint FROM idp_janitor_parts WHERE run = ${this.#nth(1)} AND step = ${this.#nth(2)}
      AND ${which} ORDER BY part`;
    return (await this.#store.query(sql, [run, step])).rows;
  }

  #nth(position: number): string {
    return this.#store.dialect === "postgres" ? `$${position}` : "?";
  }
}
