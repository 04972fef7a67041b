import type { RecordStore, Row } from "../store.ts";
import { type ConformanceCase, rejects, same } from "./check.ts";

/** A store under test, with a reader of its own beside it: an adapter is never its own witness. */
export interface OpenedRecordStore {
  readonly store: RecordStore;
  /** The ids that a collection truly has, in any order, read without the adapter. */
  ids(collection: string): Promise<string[]>;
  close(): Promise<void>;
}

/** How the suite gets a store. */
export interface RecordStoreHarness {
  /** Opens a fresh store that holds these rows, each with its id in the field `id`. */
  open(collections: Readonly<Record<string, readonly Row[]>>): Promise<OpenedRecordStore>;
}

const IDS = ["1", "2", "3", "9007199254740993", "9007199254740995", "é ' \" %", "7"];
const ROWS: readonly Row[] = IDS.map((id, at) => ({ id, stale: at % 2 === 0, nothing: null }));

/** What every {@link RecordStore} must do. */
export function recordStoreCases(harness: RecordStoreHarness): readonly ConformanceCase[] {
  const of = (name: string, body: (opened: OpenedRecordStore) => Promise<void>): ConformanceCase => ({
    name,
    async run() {
      const opened = await harness.open({ things: ROWS, none: [] });
      try {
        await body(opened);
      } finally {
        await opened.close();
      }
    },
  });
  const always = () => true;

  return [
    of("reads every record once, page by page", async ({ store }) => {
      for (const limit of [1, 2, 3, IDS.length, 100]) {
        same((await readAll(store, limit)).sort(), [...IDS].sort(), `pages of ${limit}`);
      }
    }),
    of("keeps to the limit of a page", async ({ store }) => {
      same((await store.scan("things", { limit: 2 })).records.length, 2, "records");
    }),
    of("gives rows with their fields, NULL as null", async ({ store }) => {
      const { records } = await store.scan("things", { limit: 100 });
      const row = records.find(({ id }) => id === "1")?.row;
      same([row?.stale, row?.nothing], [true, null], "fields");
    }),
    of("reads an empty collection as one empty page", async ({ store }) => {
      const page = await store.scan("none", { limit: 10 });
      same([page.records, page.next], [[], undefined], "page");
    }),
    of("refuses a collection that is not there", async ({ store }) => {
      await rejects(store.scan("nowhere", { limit: 1 }), ["store_missing_table"], "scan");
    }),
    of("does not lose or repeat records when some are removed between pages", async ({ store }) => {
      const seen = await readAll(store, 2, (ids) => store.remove("things", ids, always));
      same(seen.sort(), [...IDS].sort(), "records seen");
    }),
    of("removes what it is told and nothing else, and counts it", async ({ store, ids }) => {
      const gone = ["9007199254740993", "é ' \" %"];
      same(await store.remove("things", gone, always), 2, "count");
      same((await ids("things")).sort(), IDS.filter((id) => !gone.includes(id)).sort(), "what is left");
    }),
    of("asks of every record whether it is stale still, and keeps it if not", async ({ store, ids }) => {
      const asked: unknown[] = [];
      const removed = await store.remove("things", ["1", "2", "3"], (row) => {
        asked.push(row.id);
        return row.stale === true;
      });
      same(removed, 2, "count");
      same(asked.sort(), ["1", "2", "3"], "asked");
      same((await ids("things")).includes("2"), true, "the fresh one is kept");
    }),
    of("keeps a record where asking fails", async ({ store, ids }) => {
      const failing = store.remove("things", ["1"], () => {
        throw Object.assign(new Error("cannot be judged"), { code: "invalid_record" });
      });
      await rejects(failing, ["invalid_record"], "remove");
      same((await ids("things")).includes("1"), true, "the record is kept");
    }),
    of("counts nothing for a record that is gone", async ({ store }) => {
      same(await store.remove("things", ["1", "1", "no such id"], always), 1, "first");
      same(await store.remove("things", ["1"], always), 0, "second");
      same(await store.remove("things", [], always), 0, "none");
    }),
  ];
}

async function readAll(
  store: RecordStore,
  limit: number,
  between: (ids: string[]) => Promise<unknown> = async () => undefined,
): Promise<string[]> {
  const seen: string[] = [];
  for (let after: string | undefined; ; ) {
    const page = await store.scan("things", after === undefined ? { limit } : { after, limit });
    const ids = page.records.map(({ id }) => id);
    seen.push(...ids);
    await between(ids);
    if (page.next === undefined) return seen;
    after = page.next;
  }
}
