/** Performs what the core asks for, in one lane or several, until it is done. */

import { actOn } from "./act.ts";
import { call, free, Run } from "./core.ts";
import type { Answer, CoreRequest, Effect } from "./effects.ts";
import { JanitorError } from "./errors.ts";
import type { Checkpoint, Diagnosis, Parts, Plan, Progress, Report } from "./report.ts";
import { runFailure } from "./run-failure.ts";
import { isSqlStore, type SqlStore, type Store } from "./store.ts";

/** What a run is watched and stopped by. */
export interface Watch {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void | Promise<void>) | undefined;
}

/** What a run ends with. */
export type Ending =
  | { readonly done: Report }
  | { readonly planned: Plan }
  | { readonly parted: Parts }
  | { readonly examined: Diagnosis };

/**
 * Runs a request to its end.
 *
 * @throws JanitorError; its `report` says what had been done before. What `onProgress` throws is thrown as it is.
 */
export async function perform(
  store: Store,
  request: CoreRequest,
  checkpoint: Checkpoint | undefined,
  { signal, onProgress }: Watch,
): Promise<Ending> {
  const sql = isSqlStore(store) ? store : undefined;
  const abilities = sql && {
    maxConcurrency: sql.maxConcurrency,
    session: sql.session !== undefined,
    rowLease: sql.rowLease,
    // The clock of two runs may be the same.
    holder: `${request.holder ?? "a run of idp-janitor"} (${crypto.randomUUID().slice(0, 8)})`,
  };
  const run = call(
    () => new Run(withoutUndefined({ ...request, ...abilities }), sql?.dialect ?? "records", checkpoint),
  );
  const began = performance.now();
  const act = actOn(store, run, signal);
  const others = new Bell();
  const ofCaller = new Set<unknown>();
  let over = false;

  async function tell(progress: Progress): Promise<void> {
    try {
      await onProgress?.(progress);
    } catch (error) {
      ofCaller.add(error);
      throw error;
    }
  }

  async function lane(at: number): Promise<Ending | undefined> {
    let answer: Answer = "began";
    for (;;) {
      // A slice that was in hand when another lane ended the run is counted still, or told as lost, and nothing more is begun.
      if (over && !(typeof answer === "object" && ("batch" in answer || "failed" in answer)))
        return undefined;
      const outcome = {
        answer,
        elapsedMs: performance.now() - began,
        aborted: signal?.aborted ?? false,
        lane: at,
      };
      const { effect, progress } = call(() => run.next(outcome));
      if (over) return undefined;
      if (effect === "park") {
        await others.rung();
        answer = "waited";
        continue;
      }
      const ending = isEnding(effect) ? effect : undefined;
      if (ending || effect === "fail") over = true;
      // Whatever this lane has done may be what others wait for.
      others.ring();
      if (progress) await tell(progress);
      if (ending) return ending;
      // Whoever was told of the progress may have taken longer than another lane to end the run.
      if (over && effect !== "fail") return undefined;
      answer = await act.perform(effect, at);
    }
  }

  const guarded = async (at: number): Promise<Ending | undefined> => {
    try {
      return await lane(at);
    } finally {
      over = true;
      others.ring();
    }
  };

  try {
    const lanes = Array.from({ length: request.concurrency ?? 1 }, (_, at) => guarded(at));
    const settled = await Promise.allSettled(lanes);
    const failed = settled.find((lane) => lane.status === "rejected");
    if (failed) throw failed.reason;
    const ending = settled.flatMap((lane) => (lane.status === "fulfilled" ? (lane.value ?? []) : []))[0];
    if (ending) return ending;
    throw new JanitorError("internal", "a run ended without its report; this is a defect of idp-janitor");
  } catch (error) {
    const failure = ofCaller.has(error) ? error : runFailure(error, run, sql !== undefined);
    await release(sql, run);
    throw failure;
  } finally {
    await act.close();
    free(run);
  }
}

/** Gives back a lease that is a row. Where that fails too, it is over by itself in a minute. */
async function release(sql: SqlStore | undefined, run: Run): Promise<void> {
  try {
    const statements = call(() => run.release());
    if (statements.length > 0) await sql?.batch(statements);
  } catch {
    // What the run failed with is what is told.
  }
}

const ENDINGS = ["done", "planned", "examined", "parted"];

function isEnding(effect: Effect): effect is Ending {
  return typeof effect === "object" && ENDINGS.some((name) => name in effect);
}

/** Wakes whoever waits for it. */
class Bell {
  #ring: () => void = () => undefined;
  #rung = this.#next();

  #next(): Promise<void> {
    return new Promise((resolve) => {
      this.#ring = resolve;
    });
  }

  rung(): Promise<void> {
    return this.#rung;
  }

  ring(): void {
    this.#ring();
    this.#rung = this.#next();
  }
}

/** The core takes a property that is there for one that is meant. */
function withoutUndefined(request: CoreRequest): CoreRequest {
  const entries = Object.entries(request).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(entries), job: request.job, preset: request.preset, clock: request.clock };
}
