/** What must hold of batches. */

import type { Statement } from "../store.ts";
import { type ConformanceCase, rejects, same } from "./check.ts";
import type { MakeCase, SqlStoreHarness } from "./sql-harness.ts";
import { TEXTS } from "./sql-texts.ts";

/** A statement without parameters. */
const plain = (sql: string): Statement => ({ sql, params: [] });

const insert = (id: number): Statement => plain(`INSERT INTO things (id, name) VALUES (${id}, 'new')`);

/** The cases of batches. */
export function batchCases(of: MakeCase, harness: SqlStoreHarness): readonly ConformanceCase[] {
  const { lock, readOnly, denied, brokenKey = "store_constraint" } = harness;

  return [
    of("performs a batch in order and tells the changes of each statement", async ({ store, read }) => {
      const { parameter } = TEXTS[store.dialect];
      const named = `DELETE FROM things WHERE name = ${parameter(1)}`;
      const results = await store.batch([
        { sql: `UPDATE things SET name = 'x' WHERE id < ${parameter(1)}`, params: ["3"] },
        { sql: named, params: ["x"] },
        { sql: named, params: ["no such name"] },
        plain("SELECT count(*) FROM things"),
      ]);
      const changes = results.map((result) => result.changes);
      same(changes, [2, 2, 0, 0], "changes");
      same(results[3]?.rows, [[3]], "rows of the last");
      same(await read("SELECT count(*) FROM things"), [["3"]], "what is left");
    }),

    of("does the same without parameters, whatever statements return", async ({ store, read }) => {
      const results = await store.batch([
        plain("SELECT 1, 'a' -- a comment"),
        plain("UPDATE things SET name = 'x' WHERE id < 3"),
        plain("DELETE FROM things WHERE name = 'no such name'"),
        plain("SELECT id, name FROM things WHERE name = 'x' ORDER BY id"),
        plain("SELECT id FROM things WHERE id < 0"),
        plain("DELETE FROM things WHERE name = 'x'"),
        plain("INSERT INTO things (id, name) VALUES (60, 'a;b'), (61, '$1'), (62, '?')"),
        plain("SELECT count(*) FROM things"),
      ]);
      const changes = results.map((result) => result.changes);
      const rows = results.map((result) => result.rows);
      same(changes, [0, 2, 0, 0, 0, 2, 3, 0], "changes");
      same(
        rows,
        [
          [[1, "a"]],
          [],
          [],
          [
            [1, "x"],
            [2, "x"],
          ],
          [],
          [],
          [],
          [[6]],
        ],
        "rows",
      );
      same(await read("SELECT count(*) FROM things"), [["6"]], "what is left");
      const [one, ...more] = await store.batch([plain("DELETE FROM things WHERE id BETWEEN 60 AND 62")]);
      same([one, more], [{ rows: [], changes: 3 }, []], "a batch of one");
      const [first, ...rest] = await store.batch([plain("SELECT count(*) FROM things")]);
      same([first, rest], [{ rows: [[3]], changes: 0 }, []], "a batch of one that returns rows");
    }),

    of("tells both the rows and the changes of a statement that has both", async ({ store }) => {
      if (!TEXTS[store.dialect].returning) return;
      const { parameter } = TEXTS[store.dialect];
      const sql = "DELETE FROM things WHERE id < 3 RETURNING id, name";
      const expected = {
        rows: [
          [1, "1"],
          [2, "10"],
        ],
        changes: 2,
      };
      same(
        await store.batch([plain("SELECT 1"), plain(sql)]),
        [{ rows: [[1]], changes: 0 }, expected],
        "plain",
      );
      const bound = { sql: `DELETE FROM things WHERE id = ${parameter(1)} RETURNING name`, params: ["3"] };
      same(await store.batch([bound]), [{ rows: [["2"]], changes: 1 }], "with parameters");
    }),

    of(
      "counts a statement's own rows, not those of triggers and foreign-key actions",
      async ({ store, read }) => {
        const { parameter } = TEXTS[store.dialect];
        const results = await store.batch([
          { sql: `DELETE FROM parents WHERE id = ${parameter(1)}`, params: ["1"] },
          plain("DELETE FROM watched WHERE id = 1"),
        ]);
        const [last] = await store.batch([plain("DELETE FROM watched")]);
        const changes = [...results, last].map((result) => result?.changes);
        same(changes, [1, 1, 1], "changes");
        same(await read("SELECT count(*) FROM children"), [["0"]], "children that went along");
        same(await read("SELECT count(*) FROM traces"), [["2"]], "rows that a trigger wrote");
      },
    ),

    ...["with parameters", "without parameters"].map((how) =>
      of(`undoes the whole batch when a statement fails, ${how}`, async ({ store, read }) => {
        const { parameter } = TEXTS[store.dialect];
        const sql = `INSERT INTO things (id, name) VALUES (${parameter(1)}, 'new')`;
        const add = (id: number) => (how === "with parameters" ? { sql, params: [id] } : insert(id));
        await rejects(store.batch([add(49), add(50), add(50), add(51)]), ["store_constraint"], "batch");
        await rejects(store.batch([add(49), plain("SELECT nothing"), add(51)]), ["store_failed"], "batch");
        same(
          await read("SELECT count(*) FROM things WHERE id BETWEEN 49 AND 51"),
          [["0"]],
          "what was inserted",
        );
        await store.batch([add(52)]);
        same(await read("SELECT count(*) FROM things WHERE id = 52"), [["1"]], "a later batch");
        same((await store.query("SELECT 1", [])).rows, [[1]], "a later query");
      }),
    ),

    ...["with parameters", "without parameters"].map((how) =>
      of(`undoes the whole batch when it breaks a foreign key, ${how}`, async ({ store, read }) => {
        const { parameter, defersForeignKeys } = TEXTS[store.dialect];
        const bound = how === "with parameters";
        const gone = bound
          ? { sql: `DELETE FROM people WHERE id = ${parameter(1)}`, params: ["1"] }
          : plain("DELETE FROM people WHERE id = 1");
        const repair = plain("DELETE FROM hidp_accounts_emailchangerequest WHERE user_id = 1");
        await rejects(store.batch([insert(52), gone, insert(53)]), [brokenKey], "batch");
        await rejects(store.batch([gone]), [brokenKey], "a batch of one");
        same(await read("SELECT count(*) FROM things WHERE id IN (52, 53)"), [["0"]], "the inserts");
        same(await read("SELECT count(*) FROM people WHERE id = 1"), [["1"]], "the delete");
        // Where keys are checked at the end, one that is mended by then was never broken.
        const mended = store.batch([gone, repair]);
        if (defersForeignKeys) await mended;
        else await rejects(mended, ["store_constraint"], "a key that is checked at once");
        const left = defersForeignKeys ? "0" : "1";
        same(await read("SELECT count(*) FROM people WHERE id = 1"), [[left]], "after the mended batch");
        await store.batch([insert(54)]);
        same(await read("SELECT count(*) FROM things WHERE id = 54"), [["1"]], "a later batch");
      }),
    ),

    of("tells what failed on one line, with the driver's error as the cause", async ({ store }) => {
      const sql = "SELECT nothing\nFROM nowhere";
      for (const call of [() => store.query(sql, []), () => store.batch([plain(sql)])]) {
        const thrown = await rejects(call(), ["store_failed"], "call");
        same(thrown instanceof Error && thrown.cause !== undefined, true, "there is a cause");
        same(/\n/.test(String(thrown)), false, "more than one line");
      }
      same((await store.query("SELECT 1", [])).rows, [[1]], "a later query works");
    }),

    of("takes an empty batch for the question whether it may write", async ({ store }) => {
      same(await store.batch([]), [], "results");
    }),

    ...(readOnly
      ? [
          of("says that the database cannot be written to", async (opened) => {
            const { store, close } = await readOnly(opened);
            try {
              same((await store.query("SELECT count(*) FROM things", [])).rows, [[5]], "what is read");
              await rejects(store.batch([insert(53)]), ["store_read_only"], "batch");
              await rejects(store.batch([]), ["store_read_only"], "empty batch");
            } finally {
              await close();
            }
            same(await opened.read("SELECT count(*) FROM things"), [["5"]], "things");
          }),
        ]
      : []),

    ...(denied
      ? [
          of("says that the role may not", async (opened) => {
            const { store, close } = await denied(opened);
            try {
              same((await store.query("SELECT count(*) FROM things", [])).rows, [[5]], "what is read");
              await rejects(store.batch([insert(53)]), ["store_denied"], "batch");
            } finally {
              await close();
            }
            same(await opened.read("SELECT count(*) FROM things"), [["5"]], "things");
          }),
        ]
      : []),

    ...(lock
      ? [
          of(
            "says that somebody else holds the lock, changes nothing, and works again after it",
            async (opened) => {
              const { store } = opened;
              const { waitBriefly } = TEXTS[store.dialect];
              const change = [
                ...(waitBriefly ? [plain(waitBriefly)] : []),
                insert(53),
                plain("UPDATE things SET name = 'changed' WHERE id = 1"),
              ];
              const release = await lock(opened);
              try {
                await rejects(store.batch(change), ["store_locked"], "batch");
                // Only of a whole database can it be asked in general.
                if (store.dialect === "sqlite")
                  await rejects(store.batch([]), ["store_locked"], "empty batch");
              } finally {
                await release();
              }
              same(await opened.read("SELECT count(*) FROM things WHERE id = 53"), [["0"]], "meanwhile");
              await store.batch(change);
              same(await opened.read("SELECT count(*) FROM things WHERE id = 53"), [["1"]], "afterwards");
            },
          ),
        ]
      : []),
  ];
}
