// The CPU time of our own code in each tick, until there is nothing left to do: all of the process, less what its database takes, which is on the same thread.

import { DatabaseSync } from "node:sqlite";
import "idp-janitor";
import { type D1Binding, d1 } from "idp-janitor/adapters/d1";
import { type ScheduledEntry, type ScheduledJob, scheduledHandler } from "idp-janitor/cloudflare";
import { warmUp } from "../../pkg/warm-up.js";

const [path = "", now = "", ...jobs] = process.argv.slice(2);
using database = new DatabaseSync(path);

/** What this thread has computed, in milliseconds: the engine's compilers and collectors have threads of their own. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

let inDatabaseMs = 0;
function timed<T>(work: () => T): T {
  const began = cpuMs();
  try {
    return work();
  } finally {
    inDatabaseMs += cpuMs() - began;
  }
}

/** D1's binding on a file, as far as the adapter asks for it. */
const binding: D1Binding = {
  prepare(sql) {
    const bound = (values: readonly never[]) => ({
      perform: () => timed(() => database.prepare(sql).all(...values)),
      bind: (...given: unknown[]) => bound(given as never[]),
      raw: async () =>
        timed(() => {
          const statement = database.prepare(sql);
          statement.setReturnArrays(true);
          return statement.all(...values);
        }),
    });
    return bound([]);
  },
  async batch(statements: { perform(): Record<string, unknown>[] }[]) {
    timed(() => database.exec("BEGIN"));
    try {
      const results = statements.map((statement) => ({ results: statement.perform(), meta: {} }));
      timed(() => database.exec("COMMIT"));
      return results;
    } catch (error) {
      // The first run finds no table of leases.
      timed(() => database.exec("ROLLBACK"));
      throw error;
    }
  },
};

const entries: ScheduledEntry[] = [];
const handler = scheduledHandler(() => ({
  store: d1(binding),
  crons: { tick: jobs as ScheduledJob[] },
  log: (entry) => entries.push(entry),
}));
// Node loads these when they are asked for first; workerd has them.
crypto.randomUUID();
performance.now();
// As the entry for workerd does while an isolate starts.
warmUp();
const ticks: number[] = [];
do {
  entries.length = 0;
  inDatabaseMs = 0;
  const before = cpuMs();
  await handler({ cron: "tick", scheduledTime: Date.parse(now) }, {});
  ticks.push(cpuMs() - before - inDatabaseMs);
} while (entries.length > 0);
process.stdout.write(JSON.stringify(ticks));
