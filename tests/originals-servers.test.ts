/** Ours against the originals on database servers, as `originals.test.ts` has it on SQLite. */

import { after, before, describe, test } from "node:test";
import { createJanitor, type JobName } from "idp-janitor";
import type { Engine } from "./support/engines.ts";
import { type Bench, judge } from "./support/judge.ts";
import { CASES, NOW } from "./support/original-cases.ts";
import { copyServerDatabase, readServerDatabase, seededServerDatabase } from "./support/originals-servers.ts";
import { SERVERS, type Server } from "./support/servers.ts";

/** A call of an original costs most of a second: every case has one seed, and the settings most in use have more. */
const SEED = 1;
const MORE_SEEDS = [2, 3];
const MAIN_CASES = new Set(["stale accounts", "email change requests", "tokens", "sessions"]);

// The originals are what takes the time, and each keeps one core busy.
describe("ours against the originals", { concurrency: SERVERS.length }, () => {
  for (const server of SERVERS) {
    describe(`on ${server.title}`, { concurrency: 1 }, () => {
      let engine: Engine;
      before(async () => {
        engine = await server.start();
      });
      after(() => engine.close());

      for (const original of CASES) {
        const seeds = [SEED, ...(MAIN_CASES.has(original.title) ? MORE_SEEDS : [])];
        for (const seed of seeds) {
          test(`${original.title}, seed ${seed}`, () => judge(benchOn(engine, server), original, seed));
        }
      }
    });
  }
});

function benchOn(engine: Engine, { open }: Server): Bench {
  return {
    seeded: (seed) => seededServerDatabase(engine, seed, NOW),
    copy: (url) => copyServerDatabase(engine, url),
    read: readServerDatabase,
    state: readServerDatabase,
    async run(url, job: JobName, options) {
      const { store, end } = open(url);
      try {
        return await createJanitor({ store }).run(job, options);
      } finally {
        await end();
      }
    },
  };
}
