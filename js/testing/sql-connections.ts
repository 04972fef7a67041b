/** What must hold of the connections of a store: how many there are, that one can be kept, and what becomes of lost ones. */

import type { SqlSession, SqlValue, Statement } from "../store.ts";
import { type ConformanceCase, rejects, same, within } from "./check.ts";
import type { MakeCase, OpenedSqlStore, SqlStoreHarness } from "./sql-harness.ts";
import { type SqlTexts, TEXTS } from "./sql-texts.ts";

/** A call that hangs is told from one that fails by this many milliseconds; whatever sleeps here sleeps longer. */
const PROMPT_MS = 3_000;
const SLEEP_SECONDS = 8;

const plain = (sql: string): Statement => ({ sql, params: [] });

/** The cases of connections. */
export function connectionCases(of: MakeCase, harness: SqlStoreHarness): readonly ConformanceCase[] {
  const { disconnect, isOneConnection = false } = harness;

  /** A case of what takes a database server, and of stores that keep sessions where it takes those. */
  const ofServer = (
    name: string,
    body: (opened: OpenedSqlStore, server: NonNullable<SqlTexts["server"]>) => Promise<void>,
  ) =>
    of(name, async (opened) => {
      const { server } = TEXTS[opened.store.dialect];
      if (server) await body(opened, server);
    });
  const ofSession = (
    name: string,
    body: (
      session: SqlSession,
      server: NonNullable<SqlTexts["server"]>,
      opened: OpenedSqlStore,
    ) => Promise<void>,
  ) =>
    ofServer(name, async (opened, server) => {
      const session = await opened.store.session?.();
      if (!session) return;
      try {
        await body(session, server, opened);
      } finally {
        await session.close();
      }
    });

  return [
    of("keeps batches apart that are begun at the same time", async ({ store, read }) => {
      const add = plain("UPDATE counters SET value = value + 1 WHERE id = 1");
      await Promise.all(Array.from({ length: 20 }, () => store.batch([add, add])));
      same(await read("SELECT value FROM counters WHERE id = 1"), [["40"]], "counter");
    }),

    of("keeps those with parameters apart as well, of which some fail", async ({ store, read }) => {
      const { bigint, parameter } = TEXTS[store.dialect];
      const sql = `UPDATE counters SET value = value + CAST(${parameter(1)} AS ${bigint}) WHERE id = 1`;
      const add = { sql, params: ["1"] };
      const batches = Array.from({ length: 20 }, (_, at) =>
        store.batch([add, at % 2 ? add : plain("SELECT nothing")]),
      );
      const outcomes = (await Promise.allSettled(batches)).map(({ status }) => status);
      const expected = outcomes.map((_, at) => (at % 2 ? "fulfilled" : "rejected"));
      same(outcomes, expected, "outcomes");
      same(await read("SELECT value FROM counters WHERE id = 1"), [["20"]], "counter");
    }),

    of("serves queries and batches that are begun at the same time", async ({ store }) => {
      const { parameter } = TEXTS[store.dialect];
      const calls = Array.from({ length: 30 }, async (_, at) => {
        const value = String(at);
        if (at % 3 === 0) return (await store.query(`SELECT ${parameter(1)}`, [value])).rows;
        const sql = at % 3 === 1 ? `SELECT ${parameter(1)}` : `SELECT '${value}'`;
        const params = at % 3 === 1 ? [value] : [];
        return (await store.batch([plain("SELECT 1"), { sql, params }]))[1]?.rows;
      });
      const expected = calls.map((_, at) => [[String(at)]]);
      same(await Promise.all(calls), expected, "answers");
    }),

    ofServer(
      "serves as many batches at once as it says, each on its own connection",
      async ({ store }, server) => {
        const { maxConcurrency = 1 } = store;
        const session = await store.session?.();
        try {
          const batch = [plain(server.connection), plain(server.sleep(0.3))];
          const all = await Promise.all(Array.from({ length: maxConcurrency }, () => store.batch(batch)));
          const connections = new Set(all.map(([first]) => first?.rows[0]?.[0]));
          same(connections.size, maxConcurrency, "connections");
        } finally {
          await session?.close();
        }
      },
    ),

    ofServer("says so when batches wait for one another for ever", async ({ store, read }, server) => {
      if ((store.maxConcurrency ?? 1) < 2) return;
      const add = (id: number) => plain(`UPDATE counters SET value = value + 1 WHERE id = ${id}`);
      const cross = (ids: readonly [number, number]) =>
        store.batch([add(ids[0]), plain(server.sleep(0.4)), add(ids[1])]);
      const outcomes = await Promise.allSettled([cross([1, 2]), cross([2, 1])]);
      const done = outcomes.filter(({ status }) => status === "fulfilled").length;
      same(done < 2, true, "one of them failed");
      for (const outcome of outcomes) {
        if (outcome.status === "fulfilled") continue;
        await rejects(Promise.reject(outcome.reason), ["store_conflict", "store_locked"], "batch");
      }
      const counters = await read("SELECT value FROM counters ORDER BY id");
      same(counters, [[String(done)], [String(done)]], "counters");
      await store.batch([add(1)]);
    }),

    ofSession("keeps one connection for a session", async (session, { connection }, { store }) => {
      const first = await ask(session, connection);
      await Promise.all([store.batch([plain("SELECT 1")]), store.query("SELECT 1", [])]);
      same(await ask(session, connection), first, "the connection");
      const { parameter } = TEXTS[store.dialect];
      const sql = `SELECT name, 9007199254740993 FROM things WHERE id = ${parameter(1)}`;
      same((await session.query(sql, ["2"])).rows, [["10", 9007199254740993n]], "rows");
      await rejects(session.query("SELECT nothing FROM nowhere", []), ["store_failed"], "a query that fails");
      same(await ask(session, connection), first, "the connection after it");
    }),

    ofSession("sees in a session what others do meanwhile", async (session, _, { store, execute }) => {
      const sql = "SELECT count(*) FROM things";
      same(await ask(session, sql), 5, "before");
      await execute("DELETE FROM things WHERE id = 1");
      same(await ask(session, sql), 4, "what somebody else did");
      await store.batch([plain("DELETE FROM things WHERE id = 2")]);
      same(await ask(session, sql), 3, "what the store did");
    }),

    ofSession("gives back the locks of a session when it is closed", async (session, server, { read }) => {
      same(await read(server.isFree), [["1"]], "free before");
      same(await ask(session, server.lock), 1, "taken");
      await rejects(session.query("SELECT nothing FROM nowhere", []), ["store_failed"], "a query that fails");
      same(await read(server.isFree), [["0"]], "free meanwhile");
      await session.close();
      same(await read(server.isFree), [["1"]], "free afterwards");
      await session.close();
    }),

    ofServer("opens sessions one after the other", async ({ store, read }, server) => {
      for (let at = 0; at < 5; at += 1) {
        const session = await store.session?.();
        if (!session) return;
        same(await ask(session, server.lock), 1, "taken");
        await session.close();
        same(await read(server.isFree), [["1"]], "free afterwards");
      }
      same((await store.query("SELECT 1", [])).rows, [[1]], "a later query");
    }),

    ofSession("answers what is under way when a session is closed", async (session, server, opened) => {
      if (isOneConnection) return;
      const slow = session.query(server.sleep(SLEEP_SECONDS), []).catch((error: unknown) => error);
      await within(PROMPT_MS, session.close(), "closing");
      await within(2 * SLEEP_SECONDS * 1000, slow, "the query that was under way");
      const late = session.query("SELECT 1", []);
      await rejects(within(PROMPT_MS, late, "a later query"), ["store_unavailable"], "a later query");
      await afterwards(opened, false);
    }),

    ...(disconnect
      ? [
          ...["with parameters", "without parameters"].map((how) =>
            ofServer(
              `says promptly that the connection was lost in a batch, ${how}`,
              async (opened, server) => {
                const { store, read } = opened;
                const { parameter } = TEXTS[store.dialect];
                const bound = { sql: `SELECT name FROM things WHERE id = ${parameter(1)}`, params: ["1"] };
                const extra = how === "with parameters" ? [bound] : [];
                const add = plain("INSERT INTO things (id, name) VALUES (70, 'new')");
                const batches = Array.from({ length: Math.min(2, store.maxConcurrency ?? 1) }, (_, at) =>
                  store.batch([...(at ? [] : [add]), ...extra, plain(server.sleep(SLEEP_SECONDS))]),
                );
                await lost(opened, disconnect, batches);
                same(await read("SELECT count(*) FROM things WHERE id = 70"), [["0"]], "what was inserted");
                await afterwards(opened, isOneConnection);
              },
            ),
          ),

          ofServer("says promptly that the connection was lost in a query", async (opened, server) => {
            await lost(opened, disconnect, [opened.store.query(server.sleep(SLEEP_SECONDS), [])]);
            await afterwards(opened, isOneConnection);
          }),

          ofServer("takes new connections where those that idle were lost", async (opened) => {
            if (isOneConnection) return;
            const { store } = opened;
            await Promise.all(
              Array.from({ length: store.maxConcurrency ?? 1 }, () => store.query("SELECT 1", [])),
            );
            await disconnect(opened);
            await pause(200);
            await afterwards(opened, false);
          }),

          ofSession(
            "says promptly that the connection of a session was lost",
            async (session, server, opened) => {
              await session.query("SELECT 1", []);
              await lost(opened, disconnect, [session.query(server.sleep(SLEEP_SECONDS), [])]);
              await rejects(session.query("SELECT 1", []), ["store_unavailable"], "a later query");
              await within(PROMPT_MS, session.close(), "closing");
              await afterwards(opened, isOneConnection);
            },
          ),

          ofSession(
            "closes a session whose connection is lost meanwhile",
            async (session, server, opened) => {
              await session.query("SELECT 1", []);
              const slow = session.query(server.sleep(SLEEP_SECONDS), []);
              const closed = pause(200).then(() => session.close());
              await lost(opened, disconnect, [slow]);
              await within(PROMPT_MS, closed, "closing");
              await afterwards(opened, isOneConnection);
            },
          ),

          ofSession("says that the connection of an idle session was lost", async (session, _, opened) => {
            await session.query("SELECT 1", []);
            await disconnect(opened);
            await pause(200);
            if (!isOneConnection) await afterwards(opened, false);
            const query = session.query("SELECT 1", []);
            await rejects(within(PROMPT_MS, query, "a query"), ["store_unavailable"], "a query");
            await within(PROMPT_MS, session.close(), "closing");
            await afterwards(opened, isOneConnection);
          }),
        ]
      : []),
  ];
}

async function ask(session: SqlSession, sql: string): Promise<SqlValue | undefined> {
  return (await session.query(sql, [])).rows[0]?.[0];
}

/** Disconnects while calls are under way, each of which must say so at once. */
async function lost(
  opened: OpenedSqlStore,
  disconnect: (opened: OpenedSqlStore) => Promise<void>,
  calls: readonly Promise<unknown>[],
): Promise<void> {
  const outcomes = Promise.allSettled(calls);
  await pause(400);
  await disconnect(opened);
  for (const outcome of await within(PROMPT_MS, outcomes, "the calls that were under way")) {
    same(outcome.status, "rejected", "a call that was under way");
    if (outcome.status === "rejected") {
      await rejects(Promise.reject(outcome.reason), ["store_unavailable"], "a call that was under way");
    }
  }
}

/** A pool goes on; a single connection says at every call that it cannot. */
async function afterwards({ store, read }: OpenedSqlStore, isOneConnection: boolean): Promise<void> {
  const add = plain("INSERT INTO things (id, name) VALUES (71, 'new')");
  if (isOneConnection) {
    const calls: readonly Promise<unknown>[] = [
      store.query("SELECT 1", []),
      store.batch([add]),
      store.batch([]),
    ];
    for (const call of calls) {
      await rejects(within(PROMPT_MS, call, "a later call"), ["store_unavailable"], "a later call");
    }
    return;
  }
  const calls = Array.from({ length: 2 * (store.maxConcurrency ?? 1) }, () => store.query("SELECT 1", []));
  await within(PROMPT_MS, Promise.all(calls), "later queries");
  await within(PROMPT_MS, store.batch([plain("DELETE FROM things WHERE id = 71"), add]), "a later batch");
  same(await read("SELECT count(*) FROM things WHERE id = 71"), [["1"]], "what the later batch inserted");
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
