/** Jobs on real database servers while several connections verify users, refresh tokens and create rows. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createJanitor, type RunOptions } from "idp-janitor";
import type { Engine } from "../support/engines.ts";
import { NOW } from "../support/original-cases.ts";
import { copyServerDatabase, seededServerDatabase } from "../support/originals-servers.ts";
import { told, underFire } from "./fire.ts";
import { sumOf } from "./scene.ts";
import { SERVERS, type Server } from "./servers.ts";
import { judgeRows } from "./verdict.ts";

const USERS = 2000;
const CONNECTIONS = 6;
const SEED = 5;
/** Many small slices, and time for others in between. */
const PACE: RunOptions = { now: NOW, sliceMs: 10, pauseMs: 60 };
/** What nobody should have to wait for longer, on a machine that has a lot else to do. */
const LONGEST_WAIT_MS = 2000;

/**
 * On PostgreSQL, a slice gives way before anybody is chosen to. InnoDB looks for deadlocks at once and by its own lights, and even
 * two statements can be in one, as they lock a row and its place in an index one after the other.
 */
const DEADLOCKS: Readonly<Record<Server["title"], (committed: number) => number>> = {
  PostgreSQL: () => 0,
  MariaDB: (committed) => 1 + committed * 0.02,
};

// Most of the time of either goes into pauses.
describe("under fire", { concurrency: SERVERS.length }, () => {
  for (const server of SERVERS) {
    describe(`on ${server.title}`, { concurrency: 1 }, () => {
      let engine: Engine;
      let seeded: string;
      before(async () => {
        engine = await server.start();
        seeded = await seededServerDatabase(engine, SEED, NOW, USERS);
      });
      after(() => engine.close());

      for (const job of ["remove_stale_unverified_accounts", "cleartokens"] as const) {
        for (const concurrency of [1, 2]) {
          test(`${job}, ${concurrency} slice(s) at a time: nobody is lost, nothing is torn`, async (t) => {
            const url = await copyServerDatabase(engine, seeded);
            const { store, end } = server.open(url);
            try {
              const janitor = createJanitor({ store });
              const fire = { url, job, connections: CONNECTIONS, seed: concurrency };
              const fired = await underFire(fire, () => janitor.run(job, { ...PACE, concurrency }));
              t.diagnostic(`${server.title}, ${job}, ${concurrency} at a time: ${told(fired)}`);
              const { ended: report, traffic, verdict, known } = fired;
              assert.deepEqual(verdict.wrong, []);
              assert.deepEqual(fired.lost, []);
              assert.deepEqual(report.removed, verdict.taken, "the report tells what is gone");
              assert.equal(report.complete, true);
              assert.ok(traffic.committed > 30 && traffic.verified.size > 3, "others were at work");
              assert.ok(
                traffic.faults.deadlock <= DEADLOCKS[server.title](traffic.committed),
                "deadlocks of others",
              );
              assert.equal(traffic.faults["lock timeout"], 0);
              assert.equal(fired.refusedWrongly, 0, "transactions refused for what is there");
              assert.ok(
                traffic.longest.ms < LONGEST_WAIT_MS,
                `${traffic.longest.ms} ms: ${traffic.longest.sql}`,
              );

              const next = await janitor.run(job, { now: NOW });
              const { wrong, taken, stale } = await judgeRows(url, job, known);
              assert.deepEqual(wrong, []);
              assert.deepEqual(sumOf([report, next]), taken);
              assert.deepEqual([stale, next.held], [0, 0], "the next run takes what was held");
            } finally {
              await end();
            }
          });
        }
      }
    });
  }
});
