import { createJanitor } from "../janitor.ts";
import type { SqlStore } from "../store.ts";
import { type ConformanceCase, rejects, same } from "./check.ts";
import { NOW, SCHEMA, STALE_USERS, USERS } from "./sql-schema.ts";

/** A store under test, with a way of its own to the same database: an adapter is never its own witness. */
export interface OpenedSqlStore {
  readonly store: SqlStore;
  /** Runs a statement without the adapter. */
  execute(sql: string): Promise<void>;
  /** The rows of a query without the adapter, each value as text, NULL as null. */
  read(sql: string): Promise<(string | null)[][]>;
  close(): Promise<void>;
}

/** How the suite gets a store. */
export interface SqlStoreHarness {
  /** Opens a store on a fresh, empty database. */
  open(): Promise<OpenedSqlStore>;
  /** Makes the store of an opened database wait for somebody else's lock; the function that is returned lets go of it. */
  lock?(opened: OpenedSqlStore): Promise<() => Promise<void>>;
}

/** What every {@link SqlStore} must do. */
export function sqlStoreCases(harness: SqlStoreHarness): readonly ConformanceCase[] {
  const of = (name: string, body: (opened: OpenedSqlStore) => Promise<void>): ConformanceCase => ({
    name,
    async run() {
      const opened = await harness.open();
      try {
        for (const sql of SCHEMA) await opened.execute(sql);
        await body(opened);
      } finally {
        await opened.close();
      }
    },
  });
  const insert = (id: number) => ({ sql: "INSERT INTO things (id, name) VALUES (?, 'new')", params: [id] });
  const { lock } = harness;

  return [
    of("gives rows as arrays, columns of one name included", async ({ store }) => {
      const { rows } = await store.query("SELECT 1 AS a, 'x' AS a, NULL AS b", []);
      same(rows, [[1, "x", null]], "rows");
    }),
    of("gives integers exactly, beyond 2^53 as bigint", async ({ store }) => {
      const { rows } = await store.query("SELECT id FROM things WHERE id > CAST(? AS INTEGER) ORDER BY id", [
        "9007199254740991",
      ]);
      same(rows, [[9007199254740993n], [9223372036854775807n]], "ids");
      const negative = await store.query(
        "SELECT CAST('-9007199254740993' AS INTEGER), -5, 9007199254740991",
        [],
      );
      same(negative.rows, [[-9007199254740993n, -5, 9007199254740991]], "numbers");
    }),
    of("gives text as it is, instants among it", async ({ store }) => {
      const texts = ["2026-01-02 03:04:05.000006", "", "é😀 ' \" \\ % \n", "007", "0x10"];
      for (const text of texts) same((await store.query("SELECT ?", [text])).rows, [[text]], "text");
    }),
    of("binds text as text", async ({ store }) => {
      const { rows } = await store.query("SELECT count(*) FROM things WHERE name < ?", ["2"]);
      same(rows, [[2]], "names before 2");
    }),
    of("performs a batch in order and tells the changes of each statement", async ({ store, read }) => {
      const results = await store.batch([
        { sql: "UPDATE things SET name = 'x' WHERE id < ?", params: ["3"] },
        { sql: "DELETE FROM things WHERE name = ?", params: ["x"] },
        { sql: "DELETE FROM things WHERE name = ?", params: ["no such name"] },
        { sql: "SELECT count(*) FROM things", params: [] },
      ]);
      same(
        results.map(({ changes }) => changes),
        [2, 2, 0, 0],
        "changes",
      );
      same(results[3]?.rows, [[3]], "rows of the last");
      same(await read("SELECT count(*) FROM things"), [["3"]], "what is left");
    }),
    of(
      "counts a statement's own rows, not those of triggers and foreign-key actions",
      async ({ store, read }) => {
        const results = await store.batch([
          { sql: "DELETE FROM parents WHERE id = ?", params: ["1"] },
          { sql: "DELETE FROM watched", params: [] },
        ]);
        same(
          results.map(({ changes }) => changes),
          [1, 2],
          "changes",
        );
        same(await read("SELECT count(*) FROM children"), [["0"]], "children that went along");
        same(await read("SELECT count(*) FROM traces"), [["2"]], "rows that a trigger wrote");
      },
    ),
    of("undoes the whole batch when a statement fails", async ({ store, read }) => {
      await rejects(store.batch([insert(50), insert(50)]), ["store_constraint"], "batch");
      same(await read("SELECT count(*) FROM things WHERE id = 50"), [["0"]], "the first insert");
      await store.batch([insert(51)]);
      same(await read("SELECT count(*) FROM things WHERE id = 51"), [["1"]], "a later batch works");
    }),
    of("undoes the whole batch when a deferred foreign key is broken at its end", async ({ store, read }) => {
      const broken = { sql: "DELETE FROM people WHERE id = ?", params: ["1"] };
      await rejects(store.batch([insert(52), broken]), ["store_constraint"], "batch");
      same(await read("SELECT count(*) FROM things WHERE id = 52"), [["0"]], "the insert");
      same(await read("SELECT count(*) FROM people WHERE id = 1"), [["1"]], "the delete");
    }),
    of("tells what failed, with the driver's error as the cause", async ({ store }) => {
      const thrown = await rejects(store.query("SELECT nothing FROM nowhere", []), ["store_failed"], "query");
      same(thrown instanceof Error && thrown.cause !== undefined, true, "there is a cause");
      same((await store.query("SELECT 1", [])).rows, [[1]], "a later query works");
    }),
    of("takes an empty batch for the question whether it may write", async ({ store }) => {
      same(await store.batch([]), [], "results");
    }),
    ...(lock
      ? [
          of(
            "says that somebody else holds the lock, changes nothing, and works again after it",
            async (opened) => {
              const release = await lock(opened);
              try {
                await rejects(opened.store.batch([insert(53)]), ["store_locked"], "batch");
                await rejects(opened.store.batch([]), ["store_locked"], "empty batch");
              } finally {
                await release();
              }
              await opened.store.batch([insert(53)]);
              same(await opened.read("SELECT count(*) FROM things WHERE id = 53"), [["1"]], "afterwards");
            },
          ),
        ]
      : []),
    of("keeps batches apart that are begun at the same time", async ({ store, read }) => {
      const add = { sql: "UPDATE counters SET value = value + 1", params: [] };
      await Promise.all(Array.from({ length: 20 }, () => store.batch([add, add])));
      same(await read("SELECT value FROM counters"), [["40"]], "counter");
    }),
    of("serves a whole job: what a dry run tells is what goes, and nothing else", async ({ store, read }) => {
      const janitor = createJanitor({ store });
      const job = "remove_stale_unverified_accounts";
      const dry = await janitor.run(job, { now: NOW, dryRun: true });
      same(await read("SELECT count(*) FROM people"), [[String(USERS)]], "after the dry run");
      const report = await janitor.run(job, { now: NOW });
      same(report.removed, dry.wouldRemove, "removed");
      same(report.removed.people, STALE_USERS, "stale users removed");
      same(await read("SELECT count(*) FROM people"), [[String(USERS - STALE_USERS)]], "people left");
      same(
        await read(
          "SELECT count(*) FROM hidp_accounts_emailchangerequest WHERE user_id NOT IN (SELECT id FROM people)",
        ),
        [["0"]],
        "orphans",
      );
      same((await janitor.run(job, { now: NOW })).removed, {}, "removed by a second run");
    }),
  ];
}
