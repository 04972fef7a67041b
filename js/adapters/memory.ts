/** A record store in memory: for browser tools that hold exported rows, and for tests. */

import { JanitorError } from "../errors.ts";
import type { RecordStore, Row } from "../store.ts";

/** A column that points at rows of another collection, and what happens to its rows when such a row goes. */
export interface MemoryReference {
  /** The collection whose rows point. */
  readonly collection: string;
  /** The field by which they do; it holds an id. */
  readonly column: string;
  /** The collection that it points at, by the id of its rows. */
  readonly references: string;
  /** Whether the rows that point go too, or have `null` in that field afterwards. */
  readonly onDelete: "cascade" | "set-null";
}

/** How the records are told apart, and what belongs to what. */
export interface MemoryOptions {
  /** The field that holds a row's id, by collection. Default `id`. */
  readonly ids?: Readonly<Record<string, string>>;
  /** What goes along with a removed row, or lets go of it. Default: nothing. */
  readonly references?: readonly MemoryReference[];
}

/** A record store whose rows can be looked at. */
export interface MemoryStore extends RecordStore {
  /**
   * The rows that a collection has now, in their order.
   *
   * @throws JanitorError `store_missing_table` if there is no such collection
   */
  rows(collection: string): Row[];
}

interface Entry {
  readonly id: string;
  /** Where it stands; never used again, so that a page can begin after a row that is gone. */
  readonly place: number;
  row: Row;
}

/**
 * A store over a copy of these rows. A removal takes along what `references` says, which the report does not count.
 *
 * @throws JanitorError `invalid_record` for a row without an id, or with one that another has; `store_missing_table` where
 * `references` has a collection that is not given point at one that is. Its `remove` throws `store_missing_table` for a
 * collection that is not there, and `invalid_record` at a row that cannot be judged any more: the rows before it are gone, and
 * it is there still.
 */
export function memory(
  collections: Readonly<Record<string, readonly Row[]>>,
  options: MemoryOptions = {},
): MemoryStore {
  const { ids = {}, references = [] } = options;
  const entries = new Map<string, Map<string, Entry>>();
  for (const [collection, rows] of Object.entries(collections)) {
    entries.set(collection, index(collection, rows, ids[collection] ?? "id"));
  }

  const of = (collection: string): Map<string, Entry> => {
    const found = entries.get(collection);
    if (found) return found;
    throw new JanitorError("store_missing_table", `there is no collection \`${collection}\``);
  };

  // Found out when a row is gone already, it would leave behind what points at it.
  for (const { collection, references: parent } of references) if (entries.has(parent)) of(collection);

  const removeWithDependants = (collection: string, id: string): void => {
    if (!of(collection).delete(id)) return;
    for (const { collection: child, column, references: parent, onDelete } of references) {
      if (parent !== collection) continue;
      for (const entry of [...of(child).values()].filter(({ row }) => keyOf(row[column]) === id)) {
        if (onDelete === "cascade") removeWithDependants(child, entry.id);
        else entry.row = { ...entry.row, [column]: null };
      }
    }
  };

  return {
    async scan(collection, { after, limit }) {
      const behind = after === undefined ? -1 : Number(after);
      const rest = [...of(collection).values()].filter(({ place }) => place > behind);
      const page = rest.slice(0, limit);
      const last = page.at(-1);
      const records = page.map(({ id, row }) => ({ id, row }));
      return rest.length > limit && last ? { records, next: String(last.place) } : { records };
    },

    async remove(collection, wanted, stillStale) {
      let removed = 0;
      for (const id of wanted) {
        const entry = of(collection).get(id);
        if (!entry || !stillStale(entry.row)) continue;
        removeWithDependants(collection, id);
        removed += 1;
      }
      return removed;
    },

    rows: (collection) => [...of(collection).values()].map(({ row }) => row),
  };
}

function index(collection: string, rows: readonly Row[], field: string): Map<string, Entry> {
  const byId = new Map<string, Entry>();
  for (const [place, row] of rows.entries()) {
    const id = keyOf(row[field]);
    if (id === undefined || byId.has(id)) {
      const what = id === undefined ? `has no \`${field}\`` : `has the \`${field}\` \`${id}\` of another`;
      throw new JanitorError("invalid_record", `row ${place} of \`${collection}\` ${what}`);
    }
    byId.set(id, { id, place, row });
  }
  return byId;
}

/** A number beyond 2^53 has lost digits, and would name another row. */
function keyOf(value: unknown): string | undefined {
  if (typeof value === "string" || typeof value === "bigint") return String(value);
  return Number.isSafeInteger(value) ? String(value) : undefined;
}
