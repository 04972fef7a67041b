/** The parts of jobs that are fanned out, kept in a table of the database that the jobs work on. */

import { JanitorError } from "./errors.ts";
import { makeTable, placeholder, placeholders } from "./own-table.ts";
import type { Checkpoint } from "./report.ts";
import type { SqlStore, Statement } from "./store.ts";
import { whoSaidWhat } from "./warnings.ts";

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

/** Which part of which sweep of which run. */
export interface PartName {
  readonly run: string;
  readonly step: number;
  readonly part: number;
}

/** What is known of a sweep. */
export interface Sweep {
  readonly marks: ReadonlySet<Mark>;
  readonly parts: readonly Part[];
}

/** Marks stand in the place of a part. Those of a run are at its first sweep. */
const MARKS: Readonly<Record<Mark, number>> = { begun: -1, cut: -2, followed: -3, ended: -4 };
const NAMES: readonly Mark[] = ["begun", "cut", "followed", "ended"];

const CREATE = `CREATE TABLE IF NOT EXISTS idp_janitor_parts
  (run VARCHAR(100) NOT NULL, step INTEGER NOT NULL, part INTEGER NOT NULL, done INTEGER NOT NULL, checkpoint TEXT, warnings TEXT,
  PRIMARY KEY (run, step, part))`;

/** How many parts one statement adds: D1 takes 100 parameters. */
export const PARTS_A_STATEMENT = 24;

/** The parts of the runs of a store. Each method throws a JanitorError with a `store_*` code where the store fails. */
export class PartTable {
  readonly #store: SqlStore;

  constructor(store: SqlStore) {
    this.#store = store;
  }

  /** Makes the table where there is none. */
  make(): Promise<void> {
    return makeTable(this.#store, CREATE);
  }

  /** Every run that has left something here, and whether it has ended. */
  async runs(): Promise<ReadonlyMap<string, boolean>> {
    const ended = `max(CASE part WHEN ${MARKS.ended} THEN 1 ELSE 0 END)`;
    const { rows } = await this.#store.query(`SELECT run, ${ended} FROM idp_janitor_parts GROUP BY run`, []);
    return new Map(rows.map(([run, isEnded]) => [String(run), Number(isEnded) === 1]));
  }

  /** What is known of a sweep. */
  async sweep(run: string, step: number): Promise<Sweep> {
    const sql = `SELECT part, done, checkpoint FROM idp_janitor_parts
      WHERE run = ${this.#nth(1)} AND step = ${this.#nth(2)} ORDER BY part`;
    const { rows } = await this.#store.query(sql, [run, step]);
    const numbers = rows.map(([part]) => Number(part));
    const parts = rows.filter(([part]) => Number(part) >= 0);
    return {
      marks: new Set(NAMES.filter((name) => numbers.includes(MARKS[name]))),
      parts: parts.map(([part, done, checkpoint]) => ({
        part: Number(part),
        isDone: Number(done) === 1,
        checkpoint: JSON.parse(String(checkpoint)) as Checkpoint,
      })),
    };
  }

  /** Sets a mark, which may be there already. */
  async mark(run: string, step: number, mark: Mark): Promise<void> {
    await this.#addOnce(this.#add(run, step, [[MARKS[mark], null]]));
  }

  /**
   * Gives a sweep its parts, unless it has some: whoever comes second, at the same moment even, gets those of the first, for the
   * table may have grown meanwhile, and parts of two cuts would leave gaps between them.
   */
  async cut(run: string, step: number, checkpoints: readonly Checkpoint[]): Promise<readonly Part[]> {
    const parts = checkpoints.map((checkpoint, part) => [part, JSON.stringify(checkpoint)] as const);
    await this.#addOnce(this.#add(run, step, [[MARKS.cut, null], ...parts]));
    return (await this.sweep(run, step)).parts;
  }

  /** Notes what a person should look at in a part, and that it is done, if it is. */
  async note(part: PartName, isDone: boolean, warnings: readonly string[]): Promise<void> {
    if (!isDone && warnings.length === 0) return;
    const said = warnings.map((warning) => `${warning}\n`).join("");
    const [so, far] = ["coalesce(warnings, '')", this.#nth(2)];
    const joined = this.#store.dialect === "mysql" ? `concat(${so}, ${far})` : `${so} || ${far}`;
    const where = ["run", "step", "part"].map((name, at) => `${name} = ${this.#nth(at + 3)}`).join(" AND ");
    // A copy of a message that comes later does not make it undone.
    const sql = `UPDATE idp_janitor_parts SET done = CASE WHEN done = 1 THEN 1 ELSE ${this.#nth(1)} END,
      warnings = ${joined} WHERE ${where}`;
    await this.#store.batch([{ sql, params: [isDone ? 1 : 0, said, part.run, part.step, part.part] }]);
  }

  /** What a person should look at, each sentence behind the parts that said it. */
  async warnings(run: string): Promise<readonly string[]> {
    const sql = `SELECT step, part, warnings FROM idp_janitor_parts WHERE run = ${this.#nth(1)} AND warnings <> ''
      ORDER BY step, part`;
    const { rows } = await this.#store.query(sql, [run]);
    return whoSaidWhat(
      rows.map(([step, part, said]) => ({
        who: `sweep ${Number(step) + 1}, part ${Number(part) + 1}`,
        warnings: String(said).split("\n").slice(0, -1),
      })),
    );
  }

  /** Removes what a run has left. */
  async forget(run: string): Promise<void> {
    const sql = `DELETE FROM idp_janitor_parts WHERE run = ${this.#nth(1)}`;
    await this.#store.batch([{ sql, params: [run] }]);
  }

  #add(
    run: string,
    step: number,
    rows: readonly (readonly [part: number, checkpoint: string | null])[],
  ): Statement[] {
    const statements: Statement[] = [];
    for (let at = 0; at < rows.length; at += PARTS_A_STATEMENT) {
      const some = rows.slice(at, at + PARTS_A_STATEMENT);
      const values = some.map((_, row) => `(${placeholders(this.#store, 4, 4 * row + 1)}, 0)`);
      const sql = `INSERT INTO idp_janitor_parts (run, step, part, checkpoint, done) VALUES ${values.join(", ")}`;
      statements.push({ sql, params: some.flatMap((row) => [run, step, ...row]) });
    }
    return statements;
  }

  /** All of it, or nothing where the first is there already. */
  async #addOnce(statements: readonly Statement[]): Promise<void> {
    try {
      await this.#store.batch(statements);
    } catch (error) {
      if (!(error instanceof JanitorError && error.code === "store_constraint")) throw error;
    }
  }

  #nth(position: number): string {
    return placeholder(this.#store, position);
  }
}
