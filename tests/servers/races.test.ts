/** What others do at one particular moment of a run, on real database servers. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { Statement } from "idp-janitor";
import type { Engine } from "../support/engines.ts";
import { AT } from "./instants.ts";
import * as make from "./makers.ts";
import { ACCESS, APPLICATION, DEVICE, ID, REFRESH, USER } from "./makers.ts";
import { BEN, chains, LIV, people, verify } from "./people.ts";
import { emptyDatabase, Scene } from "./scene.ts";
import { SERVERS } from "./servers.ts";
import { Missed, type Transaction } from "./transaction.ts";

const ACCOUNTS = "remove_stale_unverified_accounts";
const TOKENS = "cleartokens";

/** Well under the patience of the job with what others hold. */
const A_MOMENT_MS = 150;
/** What nobody should have to wait for longer. */
const BOUND_MS = 2000;

describe("at one moment", { concurrency: SERVERS.length }, () => {
  for (const server of SERVERS) {
    describe(`on ${server.title}`, { concurrency: 1 }, () => {
      let engine: Engine;
      let empty: string;
      before(async () => {
        engine = await server.start();
        empty = await emptyDatabase(engine);
      });
      after(() => engine.close());

      const scene = (fill: (transaction: Transaction) => Promise<void>) =>
        Scene.of({ server, engine, empty }, fill);

      /** One transaction that is open while the first slice runs, and ends as told. */
      const openDuringSlice = async (
        on: Scene,
        job: typeof ACCOUNTS | typeof TOKENS,
        work: (transaction: Transaction) => Promise<void>,
        ends: "commit" | "rollback" | "after the run",
      ) => {
        const transaction = await on.begin();
        let passedOver = false;
        const report = await on.run(job, {
          async beforeSlice(number) {
            if (number === 1) await work(transaction);
          },
          async afterSlice(number, done) {
            if (number !== 1) return;
            passedOver = done;
            if (ends === "commit") await on.commit(transaction);
            if (ends === "rollback") await transaction.rollback();
          },
        });
        if (ends === "after the run") await on.commit(transaction);
        return { report, passedOver };
      };

      describe("stale accounts", () => {
        test("one that is verified between the find and the slice stays, with all that hangs on it", async () => {
          await using on = await scene(people);
          const report = await on.run(ACCOUNTS, {
            async beforeSlice(number) {
              if (number === 1) await on.transact((transaction) => verify(transaction, BEN));
            },
          });
          assert.deepEqual([report.removed[USER], report.held], [2, 0]);
          await on.check(ACCOUNTS, [report]);
        });

        test("one that is being verified is passed over, and looked at again", async () => {
          for (const [ends, users] of [
            ["commit", 2],
            ["rollback", 3],
          ] as const) {
            await using on = await scene(people);
            const work = (transaction: Transaction) => verify(transaction, BEN);
            const { report, passedOver } = await openDuringSlice(on, ACCOUNTS, work, ends);
            assert.ok(passedOver, "the slice did not wait");
            assert.deepEqual([report.removed[USER], report.held], [users, 0]);
            await on.check(ACCOUNTS, [report]);
          }
        });

        test("one that somebody holds all the time is told of, and the next run takes it", async () => {
          await using on = await scene(people);
          const work = (transaction: Transaction) => transaction.lock(USER, BEN).then(() => {});
          const { report, passedOver } = await openDuringSlice(on, ACCOUNTS, work, "after the run");
          assert.ok(passedOver, "the slice did not wait");
          assert.deepEqual([report.removed[USER], report.held, report.complete], [2, 1, true]);
          assert.match(report.warnings.join(), /1 stale row.*the next pass tries again/);
          const next = await on.run(ACCOUNTS);
          assert.equal(next.removed[USER], 1);
          await on.check(ACCOUNTS, [report, next]);
        });

        test("one that gets a new token between the find and the slice goes with it", async () => {
          await using on = await scene(people);
          const report = await on.run(ACCOUNTS, {
            async beforeSlice(number) {
              if (number !== 1) return;
              await on.transact((transaction) =>
                make.addRefreshToken(transaction, { id: "99", user_id: BEN, application_id: "1" }),
              );
            },
          });
          assert.equal(report.removed[REFRESH], 4);
          await on.check(ACCOUNTS, [report]);
        });

        test("whoever verifies while the slice is held up waits for a moment, and stays or is told", async () => {
          await using on = await scene(people);
          const holder = await on.begin();
          const ben = await on.begin();
          let waited = 0;
          let verification: Promise<void> | undefined;
          const report = await on.run(ACCOUNTS, {
            async beforeSlice(number) {
              if (number !== 1) return;
              await holder.lock(DEVICE, "1");
              verification = (async () => {
                await setTimeout(A_MOMENT_MS / 3);
                const began = performance.now();
                try {
                  await verify(ben, BEN);
                  await on.commit(ben);
                } catch (error) {
                  if (!(error instanceof Missed)) throw error;
                  await ben.rollback();
                }
                waited = performance.now() - began;
                await setTimeout(A_MOMENT_MS);
                await holder.rollback();
              })();
            },
          });
          await verification;
          assert.ok(waited < BOUND_MS, `waited for ${waited} ms`);
          await on.check(ACCOUNTS, [report]);
        });

        test("whoever has locked something of a user, and verifies then, is in no deadlock", async () => {
          for (const table of [DEVICE, ACCESS, REFRESH, APPLICATION]) {
            await using on = await scene(people);
            const ben = await on.begin();
            let verification: Promise<number> | undefined;
            const report = await on.run(ACCOUNTS, {
              async beforeSlice(number) {
                if (number !== 1) return;
                await ben.lock(table, "2");
                verification = (async () => {
                  // The slice has locked the user by now, and wants what we have.
                  await setTimeout(A_MOMENT_MS);
                  const began = performance.now();
                  await verify(ben, BEN);
                  await on.commit(ben);
                  return performance.now() - began;
                })();
              },
            });
            const waited = await verification;
            assert.ok(waited !== undefined && waited < BOUND_MS, `waited for ${waited} ms`);
            assert.equal(report.removed[USER], 2);
            await on.check(ACCOUNTS, [report]);
          }
        });

        test("an application that is handed over stays, with what hangs on it, and its old owner goes", async () => {
          const handOver = (transaction: Transaction) =>
            transaction.update(APPLICATION, "2", { user_id: LIV });
          await using between = await scene(people);
          const report = await between.run(ACCOUNTS, {
            async beforeSlice(number) {
              if (number === 1) await between.transact(handOver);
            },
          });
          assert.deepEqual([report.removed[USER], report.removed[APPLICATION]], [3, 2]);
          await between.check(ACCOUNTS, [report]);

          // Not committed before the slice wants it.
          await using during = await scene(people);
          const transaction = await during.begin();
          let end: Promise<void> | undefined;
          const second = await during.run(ACCOUNTS, {
            async beforeSlice(number) {
              if (number !== 1) return;
              await handOver(transaction);
              end = setTimeout(A_MOMENT_MS / 3).then(() => during.commit(transaction));
            },
          });
          await end;
          assert.deepEqual([second.removed[USER], second.removed[APPLICATION]], [3, 2]);
          await during.check(ACCOUNTS, [second]);
        });

        test("what is held for too long keeps its user, and nobody else, from going", async () => {
          await using on = await scene(people);
          const work = (transaction: Transaction) => transaction.lock(DEVICE, "2").then(() => {});
          const { report } = await openDuringSlice(on, ACCOUNTS, work, "after the run");
          assert.deepEqual([report.removed[USER], report.held], [2, 1]);
          const next = await on.run(ACCOUNTS);
          await on.check(ACCOUNTS, [report, next]);
        });
      });

      describe("tokens", () => {
        const extend = (transaction: Transaction) => transaction.update(ACCESS, "2", { expires: AT.soon });

        test("a refresh token whose access token is extended in place does not expire", async () => {
          await using on = await scene(chains);
          const report = await on.run(TOKENS, {
            async beforeSlice(number) {
              if (number === 1) await on.transact(extend);
            },
          });
          assert.deepEqual([report.removed[REFRESH], report.removed[ACCESS]], [2, 2]);
          await on.check(TOKENS, [report]);
        });

        test("one whose access token is being extended is passed over, and looked at again", async () => {
          for (const [ends, gone] of [
            ["commit", 2],
            ["rollback", 3],
          ] as const) {
            await using on = await scene(chains);
            const { report } = await openDuringSlice(on, TOKENS, extend, ends);
            assert.deepEqual([report.removed[REFRESH], report.removed[ACCESS], report.held], [gone, gone, 0]);
            await on.check(TOKENS, [report]);
          }
        });

        test("an access token that gets a refresh token between the find and the slice stays", async () => {
          await using on = await scene(chains);
          const report = await on.run(TOKENS, {
            async beforeSlice(_, statements) {
              if (removesFrom(ACCESS, statements)) await on.transact(issueAgain);
            },
          });
          assert.deepEqual([report.removed[REFRESH], report.removed[ACCESS], report.removed[ID]], [3, 2, 2]);
          // The new one is stale itself; its table had been walked by then.
          await on.check(TOKENS, [report], 1);
        });
      });
    });
  }
});

const issueAgain = (transaction: Transaction) =>
  make.addRefreshToken(transaction, { id: "92", user_id: LIV, application_id: "1", access_token_id: "2" });

function removesFrom(table: string, statements: readonly Statement[]): boolean {
  return statements.some(({ sql }) => new RegExp(`DELETE [^(]*${table}`).test(sql));
}
