// One transaction of an application, and what it has done so far.

import type { Agent, Done, Value } from "./agent.ts";
import { type Change, keyOf, type Row } from "./rows.ts";

/** What the transaction is about is not there any more. */
export class Missed extends Error {}

export class Transaction {
  /** What it has tried to change: once it is refused, that is what it was refused for. */
  readonly changes: Change[] = [];
  readonly #agent: Agent;

  private constructor(agent: Agent) {
    this.#agent = agent;
  }

  static async begin(agent: Agent): Promise<Transaction> {
    await agent.run("BEGIN");
    return new Transaction(agent);
  }

  /** Ends it, and gives what it has changed. */
  async commit(): Promise<readonly Change[]> {
    await this.#agent.run("COMMIT");
    return this.changes;
  }

  async rollback(): Promise<void> {
    await this.#agent.run("ROLLBACK");
  }

  run(sql: string, ...params: Value[]): Promise<Done> {
    return this.#agent.run(sql, params);
  }

  /** Reads the row of a table with that key and locks it. */
  async lock(table: string, key: string): Promise<Readonly<Record<string, unknown>>> {
    const { rows } = await this.run(`SELECT * FROM ${table} WHERE ${keyOf(table)} = ? FOR UPDATE`, key);
    if (!rows[0]) throw new Missed();
    return rows[0];
  }

  /** Changes columns of a row, which has to be there, and of which `condition` has to hold. */
  async update(table: string, key: string, set: Row, condition = "1 = 1"): Promise<void> {
    const columns = Object.keys(set).map((column) => `${column} = ?`);
    const sql = `UPDATE ${table} SET ${columns.join(", ")} WHERE ${keyOf(table)} = ? AND ${condition}`;
    this.changes.push({ table, key, set });
    const { count } = await this.run(sql, ...Object.values(set), key);
    if (count !== 1) throw new Missed();
  }

  /** Adds a row. What nobody asks about is in `more`. */
  async insert(table: string, set: Row, more: Readonly<Record<string, Value>> = {}): Promise<void> {
    const values = { ...set, ...more };
    const columns = Object.keys(values);
    const places = columns.map(() => "?").join(", ");
    this.changes.push({ table, key: set[keyOf(table)] ?? "", set });
    await this.run(
      `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${places})`,
      ...Object.values(values),
    );
  }

  /** Removes the row of a table with that key, which has to be there. */
  async remove(table: string, key: string): Promise<void> {
    const { count } = await this.run(`DELETE FROM ${table} WHERE ${keyOf(table)} = ?`, key);
    if (count !== 1) throw new Missed();
    this.changes.push({ table, key, set: "gone" });
  }
}
