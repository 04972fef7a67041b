/** What must hold of values that cross between a store and its database. */

import type { SqlValue } from "../store.ts";
import { type ConformanceCase, rejects, same } from "./check.ts";
import type { MakeCase, OpenedSqlStore, SqlStoreHarness } from "./sql-harness.ts";
import { MOMENTS, TEXTS } from "./sql-texts.ts";

/** What looks like something else, what drivers like to trim or escape, and what is long. */
const STRINGS: readonly string[] = [
  "2026-01-02 03:04:05.000006",
  "",
  " padded ",
  "é😀 ' \" \\ % _ \n \r\n \t ? $1 -- ; /*",
  "007",
  "0x10",
  "true",
  "null",
  '{"a": 1.0}',
  "9007199254740993",
  "x".repeat(100_000),
];

/** The cases of values. */
export function valueCases(of: MakeCase, harness: SqlStoreHarness): readonly ConformanceCase[] {
  const { both, told } = checksOf(harness);
  return [
    of("gives rows as arrays, columns of one name included", async ({ store }) => {
      const { rows } = await store.query("SELECT 1 AS a, 'x' AS a, NULL AS b", []);
      same(rows, [[1, "x", null]], "rows");
      same((await store.query("SELECT id FROM things WHERE id < 0", [])).rows, [], "no rows");
    }),

    of("gives integers exactly, beyond 2^53 as bigint", async ({ store }) => {
      const { bigint, parameter } = TEXTS[store.dialect];
      const sql = `SELECT id FROM things WHERE id > CAST(${parameter(1)} AS ${bigint}) ORDER BY id`;
      const { rows } = await store.query(sql, ["9007199254740991"]);
      same(rows, [[9007199254740993n], [9223372036854775807n]], "ids");
      const numbers: readonly SqlValue[] = [
        -9223372036854775808n,
        -9007199254740993n,
        -9007199254740992n,
        -9007199254740991,
        -5,
        0,
        9007199254740991,
        9007199254740992n,
        9223372036854775807n,
      ];
      const cast = numbers.map((number) => `CAST('${number}' AS ${bigint})`).join(", ");
      await told({ store }, `SELECT ${cast}`, numbers);
    }),

    of("takes integers exactly, as text, number and bigint", async ({ store }) => {
      const { bigint, parameter } = TEXTS[store.dialect];
      const sql = `SELECT id FROM things WHERE id = CAST(${parameter(1)} AS ${bigint})`;
      for (const id of ["9007199254740993", 9007199254740993n, "9223372036854775807", 9223372036854775807n]) {
        await both({ store }, sql, [id], [[BigInt(id)]], `the id ${id}`);
      }
      for (const id of ["3", 3, 3n]) await both({ store }, sql, [id], [[3]], `the id ${id}`);
      await both({ store }, `SELECT name FROM things WHERE id = ${parameter(1)}`, [2], [["10"]], "by number");
    }),

    of("gives text as it is, instants among it", async ({ store }) => {
      const { parameter } = TEXTS[store.dialect];
      for (const text of STRINGS) await both({ store }, `SELECT ${parameter(1)}`, [text], [[text]], "text");
    }),

    of("keeps text as it is", async ({ store, execute }) => {
      const { parameter } = TEXTS[store.dialect];
      await execute(`CREATE TABLE words (word ${store.dialect === "mysql" ? "LONGTEXT" : "TEXT"})`);
      for (const text of STRINGS) {
        await store.batch([
          { sql: "DELETE FROM words", params: [] },
          { sql: `INSERT INTO words (word) VALUES (${parameter(1)})`, params: [text] },
        ]);
        same((await store.query("SELECT word FROM words", [])).rows, [[text]], "the word");
      }
    }),

    of("binds text as text", async ({ store }) => {
      const { parameter } = TEXTS[store.dialect];
      const sql = `SELECT count(*) FROM things WHERE name < ${parameter(1)}`;
      await both({ store }, sql, ["2"], [[2]], "names before 2");
    }),

    of("takes and gives NULL, bytes, truth and floats", async ({ store }) => {
      const { bytes, byteLength, float, truth, parameter } = TEXTS[store.dialect];
      await both({ store }, `SELECT ${parameter(1)}`, [null], [[null]], "NULL");
      const given = (await store.query(bytes, [])).rows[0]?.[0];
      same(given instanceof Uint8Array && [...given], [0, 255, 10], "bytes");
      await both({ store }, byteLength, [new Uint8Array([0, 255, 10])], [[3]], "the length of bytes");
      const isTrue = `SELECT count(*) FROM truths WHERE truth = ${parameter(1)}`;
      await both({ store }, isTrue, [true], [[1]], "what is true");
      await both({ store }, isTrue, [false], [[0]], "what is false");
      for (const [sql, value] of [...truth, [float, 0.1] as const]) await told({ store }, sql, [value]);
    }),

    of("gives anything else as the text that the database has for it", async ({ store }) => {
      for (const [sql, text] of TEXTS[store.dialect].texts) await told({ store }, sql, [text]);
    }),

    of("gives instants with their microseconds, in UTC", async ({ store }) => {
      const { momentAsText, momentSuffix } = TEXTS[store.dialect];
      for (const [at, moment] of MOMENTS.entries()) {
        const sql = `SELECT ${momentAsText}, at FROM moments WHERE id = ${at + 1}`;
        await told({ store }, sql, [moment, `${moment}${momentSuffix}`]);
      }
    }),

    of("takes instants with their microseconds", async ({ store }) => {
      const { momentSuffix, parameter } = TEXTS[store.dialect];
      for (const [at, moment] of MOMENTS.entries()) {
        const sql = `SELECT id FROM moments WHERE at = ${parameter(1)}`;
        await both({ store }, sql, [`${moment}${momentSuffix}`], [[at + 1]], moment);
      }
    }),
  ];
}

/** The two checks of values, which are of the harness. */
function checksOf({ roundsIntegersInBatches = false }: SqlStoreHarness) {
  /** The rows must be the same by a query and in a batch, by itself and among statements with and without parameters. */
  const both = async (
    { store }: Pick<OpenedSqlStore, "store">,
    sql: string,
    params: readonly SqlValue[],
    rows: readonly (readonly SqlValue[])[],
    what: string,
  ): Promise<void> => {
    const short = (found: readonly (readonly SqlValue[])[] | undefined) =>
      found?.map((row) =>
        row.map((value) => (typeof value === "string" && value.length > 200 ? brief(value) : value)),
      );
    same(short((await store.query(sql, params)).rows), short(rows), what);
    const { parameter } = TEXTS[store.dialect];
    const plain = { sql: "SELECT 1", params: [] };
    const bound = { sql: `SELECT name FROM things WHERE id = ${parameter(1)}`, params: ["1"] };
    const statement = { sql, params };
    const isRounded = roundsIntegersInBatches && rows.flat().some((value) => typeof value === "bigint");
    for (const batch of [[statement], [plain, statement, plain], [bound, statement, bound]]) {
      if (isRounded) {
        await rejects(store.batch(batch), ["store_failed"], `${what}, in a batch of ${batch.length}`);
        continue;
      }
      const results = await store.batch(batch);
      const found = results[batch.length === 1 ? 0 : 1]?.rows;
      same(short(found), short(rows), `${what}, in a batch of ${batch.length}`);
      same(results.length, batch.length, "results");
    }
  };

  /** The one row of a query must be so, whether it is asked with parameters or without, which take other ways. */
  const told = async (
    { store }: Pick<OpenedSqlStore, "store">,
    sql: string,
    row: readonly SqlValue[],
  ): Promise<void> => {
    await both({ store }, sql, [], [row], sql);
    const { parameter } = TEXTS[store.dialect];
    const bound = `SELECT v.* FROM (${sql}) AS v WHERE ${parameter(1)} = ${parameter(2)}`;
    await both({ store }, bound, ["x", "x"], [row], `${sql}, with parameters`);
  };

  return { both, told };
}

function brief(text: string): string {
  return `${text.slice(0, 40)}… (${text.length} characters)`;
}
