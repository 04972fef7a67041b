/** Performs what the core asks for, until it is done. */

import { call, free, Run } from "./core.ts";
import type { Answer, CoreRequest, Effect } from "./effects.ts";
import { JanitorError } from "./errors.ts";
import type { Checkpoint, Plan, Progress, Report } from "./report.ts";
import { toPlainRow } from "./rows.ts";
import type { RecordStore, SqlStore, Store } from "./store.ts";

/** What a run is watched and stopped by. */
export interface Watch {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void | Promise<void>) | undefined;
}

/** What a run ends with. */
export type Ending = { readonly done: Report } | { readonly planned: Plan };

/**
 * Runs a request to its end.
 *
 * @throws JanitorError; its `report` says what had been done before.
 */
export async function perform(
  store: Store,
  request: CoreRequest,
  checkpoint: Checkpoint | undefined,
  { signal, onProgress }: Watch,
): Promise<Ending> {
  const kind = isSqlStore(store) ? store.dialect : "records";
  const run = call(() => new Run(withoutUndefined(request), kind, checkpoint));
  const began = performance.now();
  let answer: Answer = "began";
  try {
    for (;;) {
      const outcome = { answer, elapsedMs: performance.now() - began, aborted: signal?.aborted ?? false };
      const { effect, progress } = call(() => run.next(outcome));
      if (progress) await onProgress?.(progress);
      if ("done" in effect || "planned" in effect) return effect;
      answer = await act(store, effect, run);
    }
  } catch (error) {
    throw failure(error, run, isSqlStore(store));
  } finally {
    free(run);
  }
}

async function act(store: Store, effect: Effect, run: Run): Promise<Answer> {
  if ("query" in effect) {
    const { rows } = await sql(store).query(effect.query.sql, effect.query.params);
    return { query: rows };
  }
  if ("batch" in effect) {
    const results = await sql(store).batch(effect.batch);
    return { batch: results.map(({ changes }) => changes) };
  }
  if ("scan" in effect) {
    const { collection, ...page } = effect.scan;
    const { records, next } = await records_(store).scan(collection, page);
    return { scan: { records: records.map(({ id, row }) => ({ id, row: toPlainRow(row) })), next } };
  }
  if ("remove" in effect) {
    const { collection, ids } = effect.remove;
    const stillStale = (row: Parameters<typeof toPlainRow>[0]) => call(() => run.isStale(toPlainRow(row)));
    return { remove: await records_(store).remove(collection, ids, stillStale) };
  }
  throw new JanitorError(
    "internal",
    "the core asked for what its host cannot do; this is a defect of idp-janitor",
  );
}

/** The core takes a property that is there for one that is meant. */
function withoutUndefined(request: CoreRequest): CoreRequest {
  const entries = Object.entries(request).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(entries), job: request.job, preset: request.preset, clock: request.clock };
}

/** Whether a store runs SQL. */
export function isSqlStore(store: Store): store is SqlStore {
  return "dialect" in store;
}

function sql(store: Store): SqlStore {
  if (isSqlStore(store)) return store;
  throw new JanitorError("internal", "SQL for a record store; this is a defect of idp-janitor");
}

function records_(store: Store): RecordStore {
  if (!isSqlStore(store)) return store;
  throw new JanitorError("internal", "records of an SQL store; this is a defect of idp-janitor");
}

/** The error, with the report of what had been done before and a word on what that means. */
function failure(error: unknown, run: Run, atomic: boolean): JanitorError {
  const known =
    error instanceof JanitorError
      ? error
      : new JanitorError("store_failed", error instanceof Error ? error.message : String(error), {
          cause: error,
        });
  let report: Report;
  try {
    report = call(() => run.fail());
  } catch {
    return known;
  }
  if (report.slices === 0) return atomic && known.code.startsWith("store_") ? withoutChange(known) : known;
  const rows = Object.values(report.removed).reduce((sum, count) => sum + count, 0);
  const inHand = atomic ? "nothing was changed" : "some may be";
  const done = report.dryRun
    ? "it was a dry run, and nothing was changed"
    : `${report.slices} slice(s) before it are done (${rows} rows removed), of the one in hand ${inHand}; the next run goes on`;
  return new JanitorError(known.code, `${known.message}; ${done}`, { cause: known.cause ?? known, report });
}

/** Of what the core refuses, it says so itself. */
function withoutChange(error: JanitorError): JanitorError {
  return new JanitorError(error.code, `${error.message}; nothing was changed`, {
    cause: error.cause ?? error,
  });
}
