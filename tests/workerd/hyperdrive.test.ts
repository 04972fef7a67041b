/** PostgreSQL through Hyperdrive, in workerd: the adapters by the suite, jobs and ticks by the originals. */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Report } from "idp-janitor";
import { pg } from "idp-janitor/adapters/pg";
import type { ScheduledEntry, ScheduledJob, ScheduledOptions } from "idp-janitor/cloudflare";
import { connectWitness } from "../adapters/postgres-harness.ts";
import { compareRows } from "../support/differences.ts";
import { type Bench, judge } from "../support/judge.ts";
import { CASES, NOW } from "../support/original-cases.ts";
import { oracle } from "../support/originals.ts";
import {
  copyServerDatabase,
  readServerDatabase,
  seededServerDatabase,
} from "../support/originals-servers.ts";
import { startPostgres } from "../support/postgres.ts";
import { type RunningWorker, startWorker } from "../support/worker.ts";
import { testCases } from "./conformance.ts";
import type { Driver, Order } from "./workers/hyperdrive.ts";

const DRIVERS: readonly Driver[] = ["client", "pool", "postgres.js"];
const SEED = 1;
const JUDGED = CASES.filter(({ title }) => title === "stale accounts" || title === "tokens");

/** An event of a cron has milliseconds. */
const TICKING = "2026-11-23T10:20:30.123Z";
const CRON = "* * * * *";

/** Where nothing listens. */
const NOWHERE = "postgres://janitor:secret@127.0.0.1:1/nowhere";

const engine = await startPostgres();
after(() => engine.close());
const suite = await engine.createDatabase();
const original = await seededServerDatabase(engine, SEED, TICKING);
const theirs = await copyServerDatabase(engine, original);
const TICKED = ["clearsessions", "cleartokens"] as const;
for (const job of TICKED) await oracle(["run", "--now", TICKING, job], { database: theirs });

/** A Worker with a driver, and databases of its own behind its bindings. */
async function startWith(DRIVER: Driver) {
  const alone = await copyServerDatabase(engine, original);
  const overlapping = await copyServerDatabase(engine, original);
  const judged: string[] = [];
  for (const _ of JUDGED) judged.push(await seededServerDatabase(engine, SEED, NOW));

  const databases = [suite, engine.adminUrl("postgres"), alone, overlapping, NOWHERE, ...judged];
  const bindings = [
    "SUITE",
    "ADMIN",
    "ALONE",
    "OVERLAPPING",
    "NOWHERE",
    ...JUDGED.map((_, at) => `JUDGED${at}`),
  ];
  const running = await startWorker(new URL("workers/hyperdrive.ts", import.meta.url), {
    // What `pg` is built on.
    compatibility_flags: ["nodejs_compat"],
    vars: { DRIVER },
    hyperdrive: databases.map((localConnectionString, at) => {
      const binding = bindings[at] ?? "";
      return { binding, id: binding, localConnectionString };
    }),
  });
  after(() => running.close());
  const bindingOf = (url: string) => bindings[databases.indexOf(url)] ?? "";
  return { DRIVER, running, bindingOf, alone, overlapping, judged };
}

// All that has to be waited for goes first: what ends with the tests would end while they are not yet known.
const workers = [];
for (const driver of DRIVERS) workers.push(await startWith(driver));

test("hyperdrive's own words for a database that it cannot reach are understood", async () => {
  for (const message of [
    "Failed to acquire a connection from the pool.",
    "Server connection attempt failed: connection_refused",
  ]) {
    const said = Object.assign(new Error(message), { severity: "FATAL", code: "58000" });
    const nothing = () => undefined;
    const store = pg({ query: () => Promise.reject(said), on: nothing, removeListener: nothing });
    await assert.rejects(store.query("SELECT 1", []), { code: "store_unavailable" });
  }
});

for (const { DRIVER, running, bindingOf, alone, overlapping, judged } of workers) {
  const what = `hyperdrive, ${DRIVER}:`;

  // A client that is connected by its owner fails in the owner's hands.
  if (DRIVER !== "client") {
    test(`${what} says that the database cannot be reached`, async () => {
      const tick = tickerOf(running, bindingOf(NOWHERE)).tick(["clearsessions"]);
      await assert.rejects(tick, /^Error: store_unavailable: /);
    });
  }

  JUDGED.forEach((judgedCase, at) => {
    const bench: Bench = {
      seeded: () => Promise.resolve(judged[at] ?? ""),
      copy: (url) => copyServerDatabase(engine, url),
      read: readServerDatabase,
      state: readServerDatabase,
      run: async (url, job, options) =>
        (await order(running, { binding: bindingOf(url), job, options })) as Report,
    };
    test(`${what} ${judgedCase.title}, against the original`, () => judge(bench, judgedCase, SEED));
  });

  test(`${what} ticks leave what the originals leave`, async () => {
    const ticker = tickerOf(running, bindingOf(alone));
    let ticks = 0;
    while ((await ticker.tick(TICKED)).length > 0) ticks += 1;
    assert.ok(ticks >= 3, `the work took ${ticks} tick(s)`);
    await assertDone(alone, ticker.removed);
  });

  test(`${what} of ticks that overlap, one has the lease, and they leave what the originals leave`, async () => {
    const ticker = tickerOf(running, bindingOf(overlapping));
    // The first tick makes the table of passes.
    while ((await ticker.tick(["clearsessions"])).length > 0);
    let rounds = 0;
    let leased = 0;
    for (let working = true; working; rounds += 1) {
      const together = () => Promise.all([ticker.tick(["cleartokens"]), ticker.tick(["cleartokens"])]);
      const entries = (await atTheSameMoment(overlapping, together)).flat();
      leased += entries.filter(({ outcome }) => outcome === "leased").length;
      working = entries.length > 0;
    }
    assert.ok(rounds >= 3 && leased >= 2, `${rounds} round(s), ${leased} tick(s) without the lease`);
    await assertDone(overlapping, ticker.removed);
  });
}

await Promise.all(workers.map(({ DRIVER, running }) => testCases(`hyperdrive, ${DRIVER}:`, running)));

async function order({ worker }: RunningWorker, what: Order): Promise<unknown> {
  const response = await worker.fetch("/", { method: "POST", body: JSON.stringify(what) });
  const { done, error } = (await response.json()) as { done?: unknown; error?: string };
  if (error !== undefined) throw new Error(error);
  return done;
}

/** Ticks of few statements each, and how many rows they say have gone. */
function tickerOf(running: RunningWorker, binding: string) {
  const removed: Record<string, number> = {};
  return {
    removed,
    /** Resolves with what the jobs did that were not resting. */
    async tick(
      jobs: readonly ScheduledJob[],
      options: Partial<ScheduledOptions> = {},
    ): Promise<readonly ScheduledEntry[]> {
      const tick = { crons: { [CRON]: jobs }, maxStatements: 31, ...options };
      const entries = (await order(running, { binding, now: TICKING, tick })) as ScheduledEntry[];
      for (const { error, warnings, ...entry } of entries) {
        assert.deepEqual(
          [error?.code, warnings],
          [entry.outcome === "leased" ? "store_leased" : undefined, undefined],
        );
        for (const [table, rows] of Object.entries(entry.removed ?? {})) {
          removed[table] = (removed[table] ?? 0) + rows;
        }
      }
      return entries;
    },
  };
}

/** Has two ticks read where the last pass ended at the same moment, so that both go on from there. */
async function atTheSameMoment<T>(url: string, ticks: () => Promise<T>): Promise<T> {
  const gate = await connectWitness(url);
  await gate.execute("BEGIN");
  await gate.execute("LOCK TABLE idp_janitor_passes");
  const ticked = ticks();
  const waiting =
    "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'idp_janitor_passes'::regclass";
  while ((await gate.read(waiting))[0]?.[0] !== "2") await pause(5);
  await gate.end();
  return ticked;
}

/** The database holds what the originals leave, and what was counted is what is gone. */
async function assertDone(url: string, counted: Readonly<Record<string, number>>): Promise<void> {
  const [before, ours] = [await readServerDatabase(original), await readServerDatabase(url)];
  compareRows({ name: "ours", rows: ours }, { name: "theirs", rows: await readServerDatabase(theirs) });
  const lost = [...before].map(
    ([table, rows]) => [table, rows.length - (ours.get(table)?.length ?? 0)] as const,
  );
  assert.deepEqual(counted, Object.fromEntries(lost.filter(([, rows]) => rows > 0)), "the counts");
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
