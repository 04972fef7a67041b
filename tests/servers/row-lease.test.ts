/** A lease that is a row: of PostgreSQL where no connection is kept, and of libSQL. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createClient } from "@libsql/client";
import { createJanitor, JanitorError, type Report, type RunOptions, type SqlStore } from "idp-janitor";
import { libsql } from "idp-janitor/adapters/libsql";
import { pg } from "idp-janitor/adapters/pg";
import { postgresJs } from "idp-janitor/adapters/postgres";
import { Client, Pool } from "pg";
import postgres from "postgres";
import { compareRows, type Rows } from "../support/differences.ts";
import type { Engine } from "../support/engines.ts";
import { countLost } from "../support/judge.ts";
import { NOW } from "../support/original-cases.ts";
import { copyDatabase, readDatabase, seededDatabase } from "../support/originals.ts";
import {
  copyServerDatabase,
  readServerDatabase,
  seededServerDatabase,
} from "../support/originals-servers.ts";
import { startPostgres } from "../support/postgres.ts";
import { type Hooks, hooked } from "./hooked.ts";

const SEED = 5;
const USERS = 1000;
const JOB = "cleartokens";

interface Opened {
  readonly store: SqlStore;
  end(): Promise<void>;
}

/** A kind of database, whose connections are not kept. */
interface Kind {
  readonly title: string;
  seed(): Promise<string>;
  copy(url: string): Promise<string>;
  read(url: string): Promise<Rows>;
  open(url: string): Opened;
}

let engine: Engine;
before(async () => {
  engine = await startPostgres();
});
after(() => engine.close());

const onServer = {
  seed: () => seededServerDatabase(engine, SEED, NOW, USERS),
  copy: (url: string) => copyServerDatabase(engine, url),
  read: readServerDatabase,
};

const KINDS: readonly Kind[] = [
  {
    title: "pg",
    ...onServer,
    open(url) {
      const pool = new Pool({ connectionString: url });
      return { store: pg(pool, { session: false }), end: () => pool.end() };
    },
  },
  {
    title: "postgres.js",
    ...onServer,
    open(url) {
      const sql = postgres(url, { onnotice: () => undefined });
      return { store: postgresJs(sql, { session: false }), end: () => sql.end() };
    },
  },
  {
    title: "libsql",
    seed: () => seededDatabase(SEED, NOW, USERS),
    copy: async (path) => copyDatabase(path),
    read: async (path) => readDatabase(path),
    open(path) {
      const client = createClient({ url: `file:${path}` });
      return { store: libsql(client), end: async () => client.close() };
    },
  },
];

async function asAdmin(url: string, sql: string): Promise<void> {
  const client = new Client(engine.adminUrl(new URL(url).pathname.slice(1)));
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

const LATER = "2999-01-01T00:00:00.000Z";
const EARLIER = "2000-01-01T00:00:00.000Z";

for (const kind of KINDS) {
  describe(`a lease that is a row, through ${kind.title}`, () => {
    let seeded: string;
    let rows: Rows;
    let undisturbed: Rows;
    before(async () => {
      seeded = await kind.seed();
      rows = await kind.read(seeded);
      const copy = await kind.copy(seeded);
      await using(copy, ({ store }) => createJanitor({ store }).run(JOB, { now: NOW }));
      undisturbed = await ours(copy);
    });

    async function using<T>(url: string, work: (opened: Opened) => Promise<T>): Promise<T> {
      const opened = kind.open(url);
      try {
        return await work(opened);
      } finally {
        await opened.end();
      }
    }

    async function ours(url: string): Promise<Rows> {
      return new Map([...(await kind.read(url))].filter(([table]) => !table.startsWith("idp_janitor_")));
    }

    /** A run of many slices, so that others can come in between. */
    const run = (store: SqlStore, hooks: Hooks = {}, options: RunOptions = {}): Promise<Report> =>
      createJanitor({ store: hooked(store, hooks) }).run(JOB, { now: NOW, sliceMs: 5, ...options });

    const set = (store: SqlStore, assignments: string) =>
      store.batch([{ sql: `UPDATE idp_janitor_leases SET ${assignments}`, params: [] }]);

    const failureOf = async (promise: Promise<unknown>): Promise<JanitorError> => {
      const error = await promise.then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      assert.ok(error instanceof JanitorError, `it failed: ${String(error)}`);
      return error;
    };

    async function assertDone(url: string, ...reports: readonly Report[]): Promise<void> {
      compareRows({ name: "ours", rows: await ours(url) }, { name: "undisturbed", rows: undisturbed });
      const counted: Record<string, number> = {};
      for (const { removed, warnings } of reports) {
        assert.deepEqual(
          warnings.filter((warning) => warning.includes("lease")),
          [],
        );
        for (const [table, gone] of Object.entries(removed)) counted[table] = (counted[table] ?? 0) + gone;
      }
      assert.deepEqual(counted, countLost(rows, await ours(url)));
    }

    test("keeps a second run out, and says who has it", async () => {
      const url = await kind.copy(seeded);
      await using(url, async ({ store }) => {
        let refused: JanitorError | undefined;
        const report = await run(
          store,
          {
            async beforeSlice(number) {
              if (number === 2) refused = await failureOf(run(store));
            },
          },
          { holder: "the night job" },
        );
        assert.equal(refused?.code, "store_leased");
        assert.match(
          refused?.message ?? "",
          /the night job \(\w{8}\), since [^,]+, until \d{4}-\d\d-\d\dT[\d:.]+Z/,
        );
        await assertDone(url, report);
        const { rows: kept } = await store.query("SELECT job, until FROM idp_janitor_leases", []);
        assert.deepEqual(kept, [[JOB, ""]]);
      });
    });

    test("is taken from who has not renewed it, and not before", async () => {
      const url = await kind.copy(seeded);
      await using(url, async ({ store }) => {
        await createJanitor({ store }).run("clearsessions", { now: NOW });
        await set(store, `job = '${JOB}', holder = 'who was killed', until = '${LATER}'`);
        assert.match((await failureOf(run(store))).message, /who was killed, until 2999/);
        await set(store, `until = '${EARLIER}'`);
        const report = await run(store);
        assert.equal(report.complete, true);
      });
    });

    test("is asked for by every slice: who has lost it removes nothing more", async () => {
      const url = await kind.copy(seeded);
      await using(url, async ({ store }) => {
        let slices = 0;
        const error = await failureOf(
          run(store, {
            async beforeSlice(number) {
              slices = number;
              if (number === 2) await set(store, `fence = fence + 1, holder = 'another', until = '${LATER}'`);
            },
          }),
        );
        assert.deepEqual([error.code, slices], ["store_leased", 2]);
        await set(store, `until = '${EARLIER}'`);
        assert.ok(error.report);
        await assertDone(url, error.report, await run(store));
      });
    });

    test("is taken again where nobody else has it", async () => {
      const url = await kind.copy(seeded);
      await using(url, async ({ store }) => {
        const report = await run(store, {
          async beforeSlice(number) {
            if (number === 2) await set(store, `fence = fence + 1, holder = 'another', until = '${EARLIER}'`);
          },
        });
        assert.equal(report.complete, true);
        await assertDone(url, report);
      });
    });

    test("has one holder of many that begin at the same moment, on a database without its table", async () => {
      const url = await kind.copy(seeded);
      await using(url, async ({ store }) => {
        const all = await Promise.allSettled(Array.from({ length: 6 }, () => run(store)));
        const reports = all.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
        const codes = all.flatMap((one) =>
          one.status === "rejected" ? [(one.reason as JanitorError).code] : [],
        );
        assert.ok(reports.length > 0, codes.join());
        assert.deepEqual(new Set([...codes, "store_leased"]), new Set(["store_leased"]));
        await assertDone(url, ...reports);
      });
    });

    if (kind.title !== "libsql") {
      test("does not make the slices of several lanes wait for each other", { timeout: 30_000 }, async () => {
        const url = await kind.copy(seeded);
        // It is cut off where it waits for too long, and then asked in vain.
        const other = new Client(url);
        await other.connect();
        try {
          await using(url, async ({ store }) => {
            const report = await run(store, {
              // As a slice of another lane would, for as long as it takes.
              async beforeSlice(number) {
                if (number === 2) await other.query("BEGIN; SELECT FROM idp_janitor_leases FOR SHARE");
                if (number === 5) await other.query("COMMIT");
              },
              afterSlice: (number, done) => assert.ok(done, `slice ${number} has waited`),
            });
            await assertDone(url, report);
          });
        } finally {
          await other.end();
        }
      });

      for (const concurrency of [2, 4, 8]) {
        for (const what of ["loses the lease", "breaks a key"] as const) {
          test(`lets ${concurrency} lanes go on when one of them ${what}`, { timeout: 60_000 }, async () => {
            const url = await kind.copy(seeded);
            await using(url, async ({ store }) => {
              const hooks: Hooks =
                what === "loses the lease"
                  ? {
                      async beforeSlice(number) {
                        const lost = `fence = fence + 1, holder = 'another', until = '${EARLIER}'`;
                        if (number === 10) await set(store, lost);
                      },
                    }
                  : {
                      beforeSlice(number) {
                        if (number === 10) throw new JanitorError("store_constraint", "a key is broken");
                      },
                    };
              const report = await run(store, hooks, { concurrency, sliceMs: 1 });
              assert.equal(report.complete, true);
              await assertDone(url, report);
              const { rows: kept } = await store.query("SELECT until FROM idp_janitor_leases", []);
              assert.deepEqual(kept, [[""]]);
            });
          });
        }
      }

      test("is given back by a run that fails, with whatever its lanes were doing", {
        timeout: 60_000,
      }, async () => {
        const url = await kind.copy(seeded);
        await using(url, async ({ store }) => {
          const failing = run(
            store,
            {
              async beforeSlice(number) {
                if (number === 8)
                  await set(store, `fence = fence + 1, holder = 'another', until = '${EARLIER}'`);
                if (number >= 10) throw new JanitorError("store_failed", "nothing works any more");
              },
            },
            { concurrency: 4, sliceMs: 1 },
          );
          assert.equal((await failureOf(failing)).code, "store_failed");
          assert.equal((await run(store)).complete, true);
        });
      });

      test("does not wait for who has its row and does not end", { timeout: 30_000 }, async () => {
        const url = await kind.copy(seeded);
        const other = new Client(url);
        await other.connect();
        try {
          await using(url, async ({ store }) => {
            await run(store);
            await other.query("BEGIN; SELECT FROM idp_janitor_leases FOR SHARE");
            const error = await failureOf(run(store));
            assert.equal(error.code, "store_leased");
            assert.match(error.message, /somebody whose transaction has locked its row/);
          });
        } finally {
          await other.end();
        }
      });

      test("says what the role may not do", async () => {
        const role = `reader_${kind.title.replace(/\W/g, "_")}`;
        const url = await kind.copy(seeded);
        await using(url, async ({ store }) => {
          await run(store);
          await asAdmin(
            url,
            `CREATE ROLE ${role} LOGIN PASSWORD 'secret'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role}`,
          );
          const address = new URL(url);
          [address.username, address.password] = [role, "secret"];
          await using(address.href, async ({ store: reader }) => {
            const error = await failureOf(run(reader));
            assert.equal(error.code, "store_denied");
            assert.match(
              error.message,
              /row of the table `idp_janitor_leases` here, which this role may not make or change/,
            );
          });
        });
      });

      test("is done without where that is said, and the report says so", async () => {
        const url = await kind.copy(seeded);
        const pool = new Pool({ connectionString: url });
        try {
          const store = pg(pool, { session: false, rowLease: false });
          const { warnings } = await run(store);
          assert.match(warnings.join(), /^no lease is held here/);
          await assert.rejects(store.query("SELECT 1 FROM idp_janitor_leases", []));
        } finally {
          await pool.end();
        }
      });
    }
  });
}
