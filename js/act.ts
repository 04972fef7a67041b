/** Performs single effects of the core on a store. */

import { call, type Run } from "./core.ts";
import type { Answer, Effect } from "./effects.ts";
import { JanitorError } from "./errors.ts";
import { toPlainRow } from "./rows.ts";
import {
  isSqlStore,
  type RecordStore,
  type Row,
  type SqlSession,
  type SqlStore,
  type Store,
} from "./store.ts";

/** What performs the effects of one run. */
export interface Actor {
  /**
   * Performs an effect of a lane.
   *
   * @throws JanitorError for what no answer can tell the core
   */
  perform(effect: Effect, lane: number): Promise<Answer>;
  /** Gives back what was kept for the run. Never rejects. */
  close(): Promise<void>;
}

/** What performs the effects of `run` on a store; a wait ends early by the signal. */
export function actOn(store: Store, run: Run, signal: AbortSignal | undefined): Actor {
  if (isSqlStore(store)) return new SqlActor(store, signal);
  return { perform: (effect) => actOnRecords(store, effect, run), close: () => Promise.resolve() };
}

class SqlActor implements Actor {
  readonly #store: SqlStore;
  readonly #signal: AbortSignal | undefined;
  readonly #failures = new Map<number, unknown>();
  /** While it is being opened, too: two lanes that have lost the lease together must not open two. */
  #session: Promise<SqlSession> | undefined;

  constructor(store: SqlStore, signal: AbortSignal | undefined) {
    this.#store = store;
    this.#signal = signal;
  }

  async perform(effect: Effect, lane: number): Promise<Answer> {
    if (effect === "fail") throw this.#failures.get(lane) ?? unexpected();
    try {
      return await this.#act(effect);
    } catch (error) {
      if (error instanceof JanitorError && !error.code.startsWith("store_")) throw error;
      // What is to be done about it, the core decides.
      this.#failures.set(lane, error);
      return { failed: error instanceof JanitorError ? error.code : "store_failed" };
    }
  }

  async #act(effect: Effect): Promise<Answer> {
    if (typeof effect === "string") throw unexpected();
    if ("query" in effect) {
      const { rows } = await this.#store.query(effect.query.sql, effect.query.params);
      return { query: rows };
    }
    if ("batch" in effect) {
      const results = await this.#store.batch(effect.batch);
      return { batch: results.map(({ rows, changes }) => ({ rows, changes })) };
    }
    if ("lease" in effect) return this.#lease(effect.lease.sql);
    if ("wait" in effect) {
      await sleep(effect.wait, this.#signal);
      return "waited";
    }
    throw unexpected();
  }

  /** On the session that is kept; a new one, where that is broken. */
  async #lease(sql: string): Promise<Answer> {
    this.#session ??= this.#store.session?.();
    const opening = this.#session;
    if (!opening) throw unexpected();
    try {
      const { rows } = await (await opening).query(sql, []);
      return { query: rows };
    } catch (error) {
      // Another lane may have got a new one by now.
      if (this.#session === opening) await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const opening = this.#session;
    this.#session = undefined;
    const session = await opening?.catch(() => undefined);
    await session?.close();
  }
}

async function actOnRecords(store: RecordStore, effect: Effect, run: Run): Promise<Answer> {
  if (typeof effect === "string") throw unexpected();
  if ("scan" in effect) {
    const { collection, ...page } = effect.scan;
    const { records, next } = await store.scan(collection, page);
    return { scan: { records: records.map(({ id, row }) => ({ id, row: toPlainRow(row) })), next } };
  }
  if ("remove" in effect) {
    const { collection, ids } = effect.remove;
    const stillStale = (row: Row) => call(() => run.isStale(toPlainRow(row)));
    return { remove: await store.remove(collection, ids, stillStale) };
  }
  throw unexpected();
}

function unexpected(): JanitorError {
  return new JanitorError(
    "internal",
    "the core asked for what its host cannot do; this is a defect of idp-janitor",
  );
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, signal?.aborted ? 0 : ms);
    signal?.addEventListener("abort", end, { once: true });
  });
}
