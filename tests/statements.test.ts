/** The smallest bounds on statements that docs/cloudflare.md names are what the core really asks for, on every host. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";
import { JanitorError, type JobName, listJobs, type SqlStore } from "idp-janitor";
import { nodeSqlite } from "idp-janitor/adapters/node-sqlite";
import {
  type FanOutMessage,
  queueHandler,
  type ScheduledEntry,
  type ScheduledOptions,
  type SweepStep,
  scheduledHandler,
  startFanOut,
  sweep,
} from "idp-janitor/cloudflare";
import { NOW } from "./support/original-cases.ts";
import { copyDatabase, seededDatabase } from "./support/originals.ts";

/** What a job did within a bound. */
interface Outcome {
  /** Rows. */
  readonly removed: number;
  /** Whether the bound was too small for it. */
  readonly isRefused: boolean;
  /** Statements of the invocation that sent the most. */
  readonly most: number;
}

/** Does a job by invocations of so many statements, until it is done or refused. */
type Host = (job: JobName, maxStatements: number, database: DatabaseSync) => Promise<Outcome>;

const seeded = await seededDatabase(1, NOW);

/** A store with the lease that D1 has, and what invocations have sent to it. */
function counted(database: DatabaseSync) {
  const bare = nodeSqlite(database);
  const sent: number[] = [0];
  const count = (statements: number) => sent.push((sent.pop() ?? 0) + statements);
  const query: SqlStore["query"] = (sql, params) => {
    count(1);
    return bare.query(sql, params);
  };
  const batch: SqlStore["batch"] = (statements) => {
    count(statements.length);
    return bare.batch(statements);
  };
  return {
    store: { ...bare, rowLease: true, query, batch },
    begin: () => void sent.push(0),
    most: () => Math.max(...sent),
  };
}

const rowsOf = (removed: Readonly<Record<string, number>> = {}) =>
  Object.values(removed).reduce((sum, rows) => sum + rows, 0);

function assertTooFew(error: unknown): void {
  assert.ok(error instanceof JanitorError && error.code === "too_few_statements", String(error));
}

async function tick(
  job: JobName,
  store: SqlStore,
  options: Partial<ScheduledOptions>,
): Promise<ScheduledEntry | undefined> {
  const entries: ScheduledEntry[] = [];
  const log = (entry: ScheduledEntry) => void entries.push(entry);
  const handle = scheduledHandler(() => ({ store, crons: { night: [job] }, log, ...options }));
  await handle({ cron: "night", scheduledTime: Date.parse(NOW) }, undefined).catch(assertTooFew);
  return entries[0];
}

/** Has another job make the tables of passes and leases. */
async function makeTables(job: JobName, database: DatabaseSync): Promise<void> {
  const other = listJobs().find(({ name }) => name !== job);
  assert.ok(other);
  await tick(other.name, { ...nodeSqlite(database), rowLease: true }, { plan: "paid" });
}

/** Ticks until the job is complete; in a dry run, where each begins anew, the first. */
async function ticks(
  job: JobName,
  database: DatabaseSync,
  options: Partial<ScheduledOptions>,
): Promise<Outcome> {
  const { store, begin, most } = counted(database);
  let removed = 0;
  for (;;) {
    begin();
    const entry = await tick(job, store, options);
    const rows = rowsOf(entry?.removed);
    removed += rows;
    if (entry?.outcome === "failed") return { removed, isRefused: true, most: most() };
    if (entry?.outcome === "complete" || options.dryRun) return { removed, isRefused: false, most: most() };
    assert.ok(rows > 0, `a tick that removes nothing gets nowhere: ${JSON.stringify(entry)}`);
  }
}

const HOSTS: Readonly<Record<string, Host>> = {
  "a tick": async (job, maxStatements, database) => {
    await makeTables(job, database);
    return ticks(job, database, { maxStatements });
  },

  "a dry run": (job, maxStatements, database) => ticks(job, database, { maxStatements, dryRun: true }),

  "a step of a workflow": async (job, maxStatements, database) => {
    const { store, begin, most } = counted(database);
    const step: SweepStep = {
      do: (_name, _config, work) => {
        begin();
        return work();
      },
    };
    const event = { payload: { job, now: NOW }, timestamp: new Date(NOW), instanceId: "one" };
    const { removed } = await sweep(event, step, { open: () => store, maxStatements }).catch(
      (error: unknown) => {
        assertTooFew(error);
        return { removed: undefined };
      },
    );
    return { removed: rowsOf(removed), isRefused: removed === undefined, most: most() };
  },

  "a message of a queue": async (job, maxStatements, database) => {
    const { store, begin, most } = counted(database);
    const waiting: FanOutMessage[] = [];
    const sendBatch = async (messages: readonly { readonly body: FanOutMessage }[]) =>
      void waiting.push(...messages.map(({ body }) => body));
    let removed = 0;
    const onEnd = (result: { readonly removed: Readonly<Record<string, number>> }) => {
      removed = rowsOf(result.removed);
    };
    const queue = { sendBatch };
    const handle = queueHandler(() => ({ store, queue, maxStatements, onEnd }));
    // Which is no message yet.
    await startFanOut(job, { store: nodeSqlite(database), queue }, { now: new Date(NOW) });
    let isRefused = false;
    const retry = () => {
      isRefused = true;
    };
    const { error: print } = console;
    console.error = (line: string) => assert.match(line, /"too_few_statements"/);
    try {
      for (let body = waiting.shift(); body && !isRefused; body = waiting.shift()) {
        begin();
        await handle({ messages: [{ body, ack: () => undefined, retry }] }, undefined);
      }
    } finally {
      console.error = print;
    }
    return { removed, isRefused, most: most() };
  },
};

/** The table as it stands: by job, the numbers in the order of its columns. */
function documented(): ReadonlyMap<string, Readonly<Record<string, number>>> {
  const text = readFileSync(new URL("../docs/cloudflare.md", import.meta.url), "utf8");
  const lines = text.split("\n");
  const cellsOf = (line = "") =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());
  const header = lines.findIndex((line) => /^\| job +\| a tick/.test(line));
  const [, ...columns] = cellsOf(lines[header]);
  const rows = lines.slice(header + 2, lines.indexOf("", header)).map(cellsOf);
  return new Map(
    rows.map(([job = "", ...numbers]) => [
      job.replaceAll("`", ""),
      Object.fromEntries(columns.map((column, at) => [column, Number(numbers[at])])),
    ]),
  );
}

async function outcomeOf(host: Host, job: JobName, maxStatements: number): Promise<Outcome> {
  using database = new DatabaseSync(copyDatabase(seeded));
  return await host(job, maxStatements, database);
}

describe("the smallest bound on statements", () => {
  const table = documented();

  test("is documented for every job and host", () => {
    const jobs = listJobs().map(({ name }) => name);
    assert.deepEqual([...table.keys()].sort(), jobs.sort());
    for (const row of table.values()) assert.deepEqual(Object.keys(row), Object.keys(HOSTS));
  });

  for (const { name: job } of listJobs()) {
    for (const [title, host] of Object.entries(HOSTS)) {
      const least = table.get(job)?.[title] ?? 0;
      test(`of ${title} with ${job} is ${least}`, async () => {
        const { removed, isRefused, most } = await outcomeOf(host, job, least);
        assert.deepEqual([isRefused, removed > 0, most <= least], [false, true, true], `${removed}, ${most}`);
        assert.equal((await outcomeOf(host, job, least - 1)).isRefused, true);
      });
    }

    test(`of a tick with ${job} that makes the tables is four more at most`, async () => {
      const least = (table.get(job)?.["a tick"] ?? 0) + 4;
      const first = async (maxStatements: number) => {
        using database = new DatabaseSync(copyDatabase(seeded));
        const { store, most } = counted(database);
        const entry = await tick(job, store, { maxStatements });
        return [rowsOf(entry?.removed) > 0, most() <= maxStatements];
      };
      assert.deepEqual(await first(least), [true, true]);
      // The first of its tables asks for less than the others.
      if (job !== "cleartokens") assert.deepEqual(await first(least - 1), [false, true]);
    });
  }
});
