/** The turns of jobs on a host that is started again and again, and may do only so much each time. */

import { JanitorError } from "../errors.ts";
import { createJanitor, type JanitorOptions, type JobName } from "../janitor.ts";
import { type Pass, readPasses, writePass } from "../passes.ts";
import type { Checkpoint, Report } from "../report.ts";
import type { SqlStore } from "../store.ts";
import { metered, withOwn } from "./metered.ts";

/** What one start of the host may do, and how often a job is done. */
export interface TurnOptions {
  /** What janitors are made from. */
  readonly janitor: Omit<JanitorOptions, "store">;
  readonly store: SqlStore;
  /** The instant that passes which begin now judge by. */
  readonly now: Date;
  /** Statements that may be sent, those of the passes' table included. */
  readonly maxStatements: number;
  /** Seconds until nothing more is begun. */
  readonly maxSeconds: number;
  /** Hours from the end of a job's pass to the beginning of its next one. */
  readonly restHours: number;
  /** What else is said to each run. */
  readonly run: { readonly dryRun: boolean; readonly holder: string; readonly sliceMs?: number };
}

/**
 * What became of a job's turn. `complete`: its pass is done. `unfinished`: the rest is for the next turn. `resting`: it is not
 * due. `leased`: another run has it. `quota`: the store's plan allows no more today. `failed`.
 */
export type TurnOutcome = "complete" | "unfinished" | "resting" | "leased" | "quota" | "failed";

/** One job's turn. */
export interface Turn {
  readonly job: JobName;
  readonly outcome: TurnOutcome;
  /** Statements that were sent for it. */
  readonly statements: number;
  /** What was done; of a failure, before it. */
  readonly report?: Report;
  readonly error?: JanitorError;
}

const HOUR_MS = 3_600_000;

/** Errors that are none of the job's. */
const OUTCOMES: Readonly<Partial<Record<JanitorError["code"], TurnOutcome>>> = {
  store_leased: "leased",
  store_quota: "quota",
};

/**
 * Does the jobs that are due in their order, each when the one before it is done with its pass, so that what is left is what
 * they leave when they are run one after the other. Where a job ends is kept in the table `idp_janitor_passes`, and its next
 * turn goes on from there. A job that fails does not keep others from theirs. Those that are not reached have no turn.
 *
 * @throws JanitorError where the passes cannot be read; nothing was changed
 */
export async function takeTurns(jobs: readonly JobName[], options: TurnOptions): Promise<Turn[]> {
  const began = Date.now();
  const { store, statements } = metered(options.store);
  const { dryRun } = options.run;
  const passes: ReadonlyMap<string, Pass> = dryRun ? new Map() : await readPasses(store);
  const turns: Turn[] = [];
  for (const job of jobs) {
    const pass = passes.get(job);
    if (pass && isResting(pass, options)) {
      turns.push({ job, outcome: "resting", statements: 0 });
      continue;
    }
    const before = statements();
    const left = () => ({
      // One is for keeping where it ended.
      maxStatements: options.maxStatements - statements() - 1,
      maxSeconds: options.maxSeconds - (Date.now() - began) / 1000,
    });
    const isFirst = turns.every(({ outcome }) => outcome === "resting");
    if (!isFirst && (left().maxStatements < 1 || left().maxSeconds <= 0)) break;
    const turn = await takeTurn(job, pass?.checkpoint, { ...options, store }, left);
    // It will come to all that there is. Who had that already will never get anywhere, and fails.
    if (!isFirst && turn.error?.code === "too_few_statements") break;
    turns.push({ job, statements: statements() - before, ...turn });
    if (turn.outcome !== "complete" && turn.outcome !== "failed") break;
  }
  return turns;
}

async function takeTurn(
  job: JobName,
  checkpoint: Checkpoint | undefined,
  { store, now, janitor, run, maxStatements }: TurnOptions,
  left: () => { readonly maxStatements: number; readonly maxSeconds: number },
): Promise<Omit<Turn, "job" | "statements">> {
  const keep = async (report: Report | undefined) => {
    if (run.dryRun || !report) return;
    const pass = { job, began: report.now };
    const { checkpoint: rest } = report;
    await writePass(store, rest ? { ...pass, checkpoint: rest } : { ...pass, ended: now.toISOString() });
  };
  try {
    const janitorOfTurn = createJanitor({ ...janitor, store });
    const perform = (from: { readonly now: Date } | { readonly checkpoint: Checkpoint }) => {
      const bounds = left();
      if (bounds.maxStatements < 1) {
        const message = `\`maxStatements\` is ${maxStatements}, and nothing of it is left for ${job} in this turn`;
        return Promise.reject(new JanitorError("too_few_statements", message));
      }
      return janitorOfTurn.run(job, { ...bounds, ...run, ...from }).catch((error: unknown) => {
        throw withOwn(error, maxStatements - bounds.maxStatements);
      });
    };
    const report = await (checkpoint === undefined
      ? perform({ now })
      : // A pass keeps the instant that it began with.
        perform({ checkpoint }).catch(async (error: unknown) => {
          if (!(error instanceof JanitorError && error.code === "invalid_checkpoint")) throw error;
          // On tables that have been migrated since it begins anew, in this turn if there is enough left of it.
          await writePass(store, { job, began: now.toISOString() });
          return perform({ now });
        }));
    await keep(report);
    return { outcome: report.complete ? "complete" : "unfinished", report };
  } catch (thrown) {
    const error = thrown instanceof JanitorError ? thrown : new JanitorError("internal", String(thrown));
    const { report } = error;
    // What went wrong is what is told, whatever comes of this.
    await keep(report).catch(() => undefined);
    return { outcome: OUTCOMES[error.code] ?? "failed", error, ...(report ? { report } : {}) };
  }
}

/** From its end: a pass that takes longer than a rest would be due again at once, and others never. */
function isResting({ ended }: Pass, { now, restHours }: TurnOptions): boolean {
  return ended !== undefined && now.getTime() - Date.parse(ended) < restHours * HOUR_MS;
}
