/** What becomes of a database server's rows when a run is killed, cut off, or not alone. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import {
  createJanitor,
  JanitorError,
  type JobName,
  type Report,
  type RunOptions,
  type SqlSession,
} from "idp-janitor";
import type { Engine } from "../support/engines.ts";
import { NOW } from "../support/original-cases.ts";
import {
  compareServerDatabases,
  copyServerDatabase,
  seededServerDatabase,
} from "../support/originals-servers.ts";
import { Backends, backendOf } from "./backends.ts";
import { Chance } from "./chance.ts";
import { startJob } from "./command-line.ts";
import { type Hooks, hooked } from "./hooked.ts";
import { Known, type Rows, readRows } from "./rows.ts";
import { sumOf } from "./scene.ts";
import { SERVERS } from "./servers.ts";
import { judgeRows } from "./verdict.ts";

const JOBS = ["remove_stale_unverified_accounts", "cleartokens"] as const;
type Job = (typeof JOBS)[number];

const SEED = 5;
const USERS = 1000;
const KILLS = 6;
/** Every so many slices have a connection cut: not so many that a run loses its patience. */
const CUTS = 3;
/** How many stale rows a run takes at most where it should take several to the end. */
const BITES: Readonly<Record<Job, number>> = { remove_stale_unverified_accounts: 40, cleartokens: 300 };
const LOST = /the connection was lost/;

describe("interrupted", { concurrency: SERVERS.length }, () => {
  for (const server of SERVERS) {
    describe(`on ${server.title}`, { concurrency: 1 }, () => {
      let engine: Engine;
      let seeded: string;
      let rows: Rows;
      const undisturbed = new Map<Job, string>();
      before(async () => {
        engine = await server.start();
        seeded = await seededServerDatabase(engine, SEED, NOW, USERS);
        rows = await readRows(seeded);
        for (const job of JOBS) {
          const url = await copyServerDatabase(engine, seeded);
          await run(url, job);
          undisturbed.set(job, url);
        }
      });
      after(() => engine.close());

      async function run(
        url: string,
        job: JobName,
        hooks: Hooks = {},
        options: RunOptions = {},
      ): Promise<Report> {
        const { store, end } = server.open(url);
        try {
          return await createJanitor({ store: hooked(store, hooks) }).run(job, { now: NOW, ...options });
        } finally {
          await end();
        }
      }

      /** Throws where an account is torn, or anything else is gone without a reason; what is gone by table. */
      async function judge(url: string, job: Job): Promise<Readonly<Record<string, number>>> {
        const { wrong, taken } = await judgeRows(url, job, new Known(rows));
        assert.deepEqual(wrong, []);
        return taken;
      }

      /** The next run completes, and all is as if nothing had happened. */
      async function finish(url: string, job: Job): Promise<Report> {
        const report = await run(url, job);
        assert.deepEqual([report.complete, report.held], [true, 0]);
        await compareServerDatabases(url, undisturbed.get(job) ?? "");
        return report;
      }

      for (const job of JOBS) {
        test(`${job}, killed at any moment, tears nothing, and the next run completes`, async (t) => {
          const url = await copyServerDatabase(engine, seeded);
          const chance = new Chance(SEED);
          const bounds = ["--slice-ms", "10", "--pause-ms", "20", "--max-rows", String(BITES[job])];
          const began = performance.now();
          await startJob(url, job, ...bounds).ended;
          let lasts = performance.now() - began;
          let killed = 0;
          await using backends = await Backends.of(url);
          for (let kill = 1; kill <= KILLS; kill += 1) {
            const started = performance.now();
            const { child, ended } = startJob(url, job, ...bounds);
            // At any moment, and every other time while a slice is at work.
            if (kill % 2 === 0) await backends.sliceAtWork(ended);
            else await setTimeout(chance.between(0.3, 0.8) * lasts);
            if (child.kill("SIGKILL")) killed += 1;
            const { status, errors } = await ended;
            if (status !== null) lasts = Math.min(lasts, performance.now() - started);
            // One that was faster has found no other run at it.
            assert.ok(status === null || status === 0 || status === 75, `status ${status}: ${errors}`);
            assert.equal(errors, "");
            await backends.alone();
            await judge(url, job);
          }
          const last = await startJob(url, job).ended;
          assert.equal(last.status, 0, last.errors);
          await compareServerDatabases(url, undisturbed.get(job) ?? "");
          t.diagnostic(`${server.title}, ${job}: ${killed} of ${KILLS} killed`);
          assert.ok(killed > 0);
        });

        test(`${job}, its connections cut at any moment, counts nothing twice`, async (t) => {
          const url = await copyServerDatabase(engine, seeded);
          await using backends = await Backends.of(url);
          const chance = new Chance(SEED);
          const cuts: Promise<void>[] = [];
          const cut = async () => {
            await setTimeout(chance.between(0, 10));
            const id = chance.pick(await backends.others());
            if (id !== undefined) await backends.cut(id);
          };
          let slices = 0;
          const hooks: Hooks = {
            beforeSlice() {
              slices += 1;
              if (slices % CUTS === 1) cuts.push(cut());
            },
          };
          const reports: Report[] = [];
          do {
            const bounds = { maxRows: BITES[job], ...goingOn(reports.at(-1)) };
            reports.push(await run(url, job, hooks, { sliceMs: 10, concurrency: 2, ...bounds }));
          } while (!reports.at(-1)?.complete);
          await Promise.all(cuts);
          t.diagnostic(`${server.title}, ${job}: ${cuts.length} connections cut in ${reports.length} runs`);
          assert.ok(cuts.length > 1);
          checkCounts(reports, await judge(url, job));
          await finish(url, job);
        });
      }

      test("a run goes on by itself when the server is restarted", async () => {
        const url = await copyServerDatabase(engine, seeded);
        let restart: Promise<void> | undefined;
        const report = await run(
          url,
          "cleartokens",
          {
            beforeSlice(number) {
              if (number === 1) restart = setTimeout(2).then(() => engine.restart());
            },
          },
          { sliceMs: 10, pauseMs: 20 },
        );
        await restart;
        assert.equal(report.complete, true);
        checkCounts([report], await judge(url, "cleartokens"));
        await finish(url, "cleartokens");
      });

      test("a slice of which nobody knows whether it was done is not counted, and told", async () => {
        const url = await copyServerDatabase(engine, seeded);
        const report = await run(url, "cleartokens", {
          afterSlice(number) {
            if (number === 1) throw new JanitorError("store_unavailable", "the confirmation was lost");
          },
        });
        const taken = await judge(url, "cleartokens");
        assert.match(report.warnings.join(), LOST);
        assert.ok(
          (report.removed.oauth2_provider_refreshtoken ?? 0) < (taken.oauth2_provider_refreshtoken ?? 0),
        );
        checkCounts([report], taken);
        await finish(url, "cleartokens");
      });

      test("a second run of a job says who holds it, and changes nothing", async () => {
        const url = await copyServerDatabase(engine, seeded);
        const report = await run(url, "cleartokens", {
          async beforeSlice(number) {
            if (number !== 1) return;
            const before = await readRows(url);
            const { status, errors } = await startJob(url, "cleartokens").ended;
            assert.equal(status, 75);
            assert.match(errors, /(process|connection) \d+ of the server/);
            await assert.rejects(run(url, "cleartokens"), { code: "store_leased" });
            assert.deepEqual(await readRows(url), before);
            // Another job has nothing to do with it, and a dry run is in nobody's way.
            await run(url, "clearsessions");
            await run(url, "cleartokens", {}, { dryRun: true });
          },
        });
        assert.equal(report.complete, true);
      });

      for (const concurrency of [1, 2]) {
        test(`a run whose lease is cut takes it again, ${concurrency} slice(s) at a time`, async () => {
          const url = await copyServerDatabase(engine, seeded);
          await using backends = await Backends.of(url);
          const { dialect } = server.open(url).store;
          let lease: number | undefined;
          const hooks: Hooks = {
            async onSession(session: SqlSession) {
              // All slices that are in hand find out meanwhile.
              if (lease !== undefined) await setTimeout(400);
              lease = await backendOf(session, dialect);
            },
            async beforeSlice(number) {
              if (number === 3 && lease !== undefined) await backends.cut(lease);
              // Slices of all lanes are under way when it is cut.
              if (number < 6) await setTimeout(20);
            },
          };
          const report = await run(url, "cleartokens", hooks, { sliceMs: 10, concurrency });
          assert.equal(report.complete, true);
          assert.deepEqual(report.removed, await judge(url, "cleartokens"));
          await finish(url, "cleartokens");
        });
      }

      test("a run whose lease another has taken removes nothing more", async () => {
        const url = await copyServerDatabase(engine, seeded);
        await using backends = await Backends.of(url);
        const { dialect } = server.open(url).store;
        let lease: number | undefined;
        let second: Promise<Report> | undefined;
        const log: string[] = [];
        let end = () => {};
        const ending = new Promise<void>((resolve) => {
          end = resolve;
        });
        const first = run(
          url,
          "cleartokens",
          {
            async onSession(session) {
              lease ??= await backendOf(session, dialect);
            },
            async beforeSlice(number) {
              log.push("first");
              if (number !== 2 || lease === undefined) return;
              await backends.cut(lease);
              await new Promise<void>((taken) => {
                second = run(url, "cleartokens", {
                  async beforeSlice(number) {
                    log.push("second");
                    if (number !== 1) return;
                    taken();
                    // Until the first has given up, or has done what it must not.
                    await ending;
                  },
                });
              });
            },
          },
          { sliceMs: 10, maxRows: 1_000_000 },
        );
        const error = await first
          .then(
            () => undefined,
            (error: unknown) => error,
          )
          .finally(() => end());
        assert.ok(error instanceof JanitorError, "the first ended with an error");
        assert.equal(error.code, "store_leased");
        const other = await second;
        assert.ok(error.report && other);
        // Its second slice was begun when the lease was gone, and none after it.
        assert.deepEqual(log.filter((who) => who === "first").length, 2);
        assert.deepEqual(sumOf([error.report, other]), await judge(url, "cleartokens"));
        await finish(url, "cleartokens");
      });
    });
  }
});

function goingOn(report: Report | undefined): RunOptions {
  return report?.checkpoint ? { checkpoint: report.checkpoint } : {};
}

/** Nothing is counted that did not happen, and everything is but for slices of which a run says that it does not know. */
function checkCounts(reports: readonly Report[], taken: Readonly<Record<string, number>>): void {
  const removed = sumOf(reports);
  const uncertain = reports.reduce((sum, report) => sum + (report.uncertain ?? 0), 0);
  if (uncertain === 0) {
    assert.deepEqual(removed, taken);
    return;
  }
  for (const [table, rows] of Object.entries(removed)) {
    assert.ok(
      rows <= (taken[table] ?? 0),
      `${rows} rows of ${table} are told, and ${taken[table] ?? 0} are gone`,
    );
  }
}
