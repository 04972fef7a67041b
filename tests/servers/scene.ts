// A small database with a few people in it, for what happens at one moment of a run.

import assert from "node:assert/strict";
import { createJanitor, type JanitorOptions, type JobName, type Report, type RunOptions } from "idp-janitor";
import type { Engine } from "../support/engines.ts";
import { NOW } from "../support/original-cases.ts";
import { oracle } from "../support/originals.ts";
import { copyServerDatabase } from "../support/originals-servers.ts";
import { type Agent, connectAgent } from "./agent.ts";
import { type Hooks, hooked } from "./hooked.ts";
import { Known, readRows } from "./rows.ts";
import type { OpenedStore, Server } from "./servers.ts";
import { Transaction } from "./transaction.ts";
import { judgeRows } from "./verdict.ts";

/** The url of a database that has Django's tables and nobody in it, to be copied. */
export async function emptyDatabase(engine: Engine): Promise<string> {
  const database = await engine.createDatabase();
  await oracle(["migrate"], { database });
  return database;
}

export type Options = RunOptions & Pick<JanitorOptions, "onDelete">;

export class Scene implements AsyncDisposable {
  readonly url: string;
  readonly known: Known;
  readonly #opened: OpenedStore;
  readonly #agents: Agent[] = [];

  private constructor(url: string, known: Known, opened: OpenedStore) {
    this.url = url;
    this.known = known;
    this.#opened = opened;
  }

  /** A copy of a database, with what `fill` adds. */
  static async of(
    { server, engine, empty }: { server: Server; engine: Engine; empty: string },
    fill: (transaction: Transaction) => Promise<void>,
  ): Promise<Scene> {
    const url = await copyServerDatabase(engine, empty);
    const scene = new Scene(url, new Known(await readRows(url)), server.open(url));
    await scene.transact(fill);
    return scene;
  }

  /** Begins a transaction on a connection of its own. */
  async begin(): Promise<Transaction> {
    const agent = await connectAgent(this.url);
    this.#agents.push(agent);
    return Transaction.begin(agent);
  }

  async commit(transaction: Transaction): Promise<void> {
    this.known.committed(await transaction.commit());
  }

  /** Does something and commits it. */
  async transact(work: (transaction: Transaction) => Promise<void>): Promise<void> {
    const transaction = await this.begin();
    await work(transaction);
    await this.commit(transaction);
  }

  /** Runs a job, stopped where the hooks stop it. */
  run(job: JobName, hooks: Hooks = {}, options: Options = {}): Promise<Report> {
    const { onDelete = {}, ...rest } = options;
    const store = hooked(this.#opened.store, hooks);
    return createJanitor({ store, onDelete }).run(job, { now: NOW, ...rest });
  }

  /** Throws unless the database is as it must be, the reports tell what is gone, and so much is still stale. */
  async check(job: JobName, reports: readonly Report[], stale = 0): Promise<void> {
    const verdict = await judgeRows(this.url, job, this.known);
    assert.deepEqual(verdict.wrong, []);
    assert.deepEqual(sumOf(reports), verdict.taken, "the reports tell what is gone");
    assert.equal(verdict.stale, stale, "stale rows that are there");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const agent of this.#agents) await agent.end();
    await this.#opened.end();
  }
}

/** What several runs have removed. */
export function sumOf(reports: readonly Report[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const { removed } of reports) {
    for (const [table, rows] of Object.entries(removed)) sum[table] = (sum[table] ?? 0) + rows;
  }
  return sum;
}
