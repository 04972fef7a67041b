/** Cloudflare Workflows: a job of any size as steps, each a bounded part of it. */

import { JanitorError } from "../../errors.ts";
import { createJanitor, type JanitorOptions, type JobName } from "../../janitor.ts";
import { requireKnown } from "../../known.ts";
import { type LedgerTotals, openLedger } from "../../ledger.ts";
import type { Checkpoint } from "../../report.ts";
import type { SqlStore } from "../../store.ts";
import { whoSaidWhat } from "../../warnings.ts";
import { requireBounds } from "../bounds.ts";
import { plainError } from "./log.ts";
import { allowanceOf, type Plan } from "./plans.ts";

/** What an instance of the workflow is created with. */
export interface SweepParams {
  readonly job: JobName;
  /** The instant to judge by, RFC 3339. Default: when the instance was created. */
  readonly now?: string;
}

/** What is asked of the event of an instance. */
export interface SweepEvent {
  readonly payload: SweepParams;
  readonly timestamp: Date;
  readonly instanceId: string;
}

/** How often a step that failed is tried again, and when. Workflows refuse what is wrong with it, at the first step. */
export interface SweepRetries {
  /** How often, 0 or more. */
  readonly limit: number;
  /** Milliseconds until it is tried again for the first time, 0 or more. */
  readonly delay: number;
  /** What becomes of `delay` each time: it stays, grows by itself, or doubles. */
  readonly backoff: "constant" | "linear" | "exponential";
}

/** What is said to each step. */
export interface SweepStepConfig {
  readonly retries: SweepRetries;
  /** Milliseconds until it counts as failed. */
  readonly timeout: number;
}

/** What is asked of the steps: a `WorkflowStep` has it. */
export interface SweepStep {
  do<T extends Rpc>(name: string, config: SweepStepConfig, work: () => Promise<T>): Promise<T>;
}

/** What a step may return: plain data. */
type Rpc = Readonly<Record<string, unknown>>;

/** What the workflow works with. */
export interface SweepOptions extends Omit<JanitorOptions, "store"> {
  /** Opens a store for one step; what belongs to an invocation is not kept beyond it. */
  readonly open: () => SqlStore | Promise<SqlStore>;
  /** Gives back what was opened for a step. */
  readonly close?: () => Promise<void>;
  /** The plan of the account. Default `"free"`. */
  readonly plan?: Plan;
  /**
   * Statements that a step may send, 1 or more; where they are too few, the instance fails with `too_few_statements`. Default 50 on the
   * free plan, 900 on the paid one.
   */
  readonly maxStatements?: number;
  /** Seconds until a step begins nothing more, above 0, 240 at most: after 300 it counts as failed. Default 20. */
  readonly maxSeconds?: number;
  /** Default: six times, after 5 s and then twice as long each time: longer than the minute that a killed step's lease lasts. */
  readonly retries?: SweepRetries;
}

/** What the workflow has done. */
export interface SweepResult extends LedgerTotals {
  readonly job: JobName;
  /** The instant that it judged by, RFC 3339. */
  readonly now: string;
  /** Into how many steps it was cut. */
  readonly steps: number;
  /** Sentences about what a person should look at, each behind the steps that said it, whose own the numbers in it are. */
  readonly warnings: readonly string[];
}

const MAX_SECONDS = 20;
/** What is left of a step is for the slice in hand. */
const MOST_SECONDS = 240;

const OPTIONS = [
  ...["open", "close", "plan", "maxStatements", "maxSeconds", "retries"],
  ...["preset", "jobs", "userTable", "onDelete"],
];
const PARAMS = ["job", "now"];
const RETRIES: SweepRetries = { limit: 6, delay: 5_000, backoff: "exponential" };
const TIMEOUT_MS = 5 * 60_000;

/** Errors that no retry mends. */
const FINAL: readonly JanitorError["code"][] = [
  ...(["unknown_job", "unknown_setting", "invalid_setting", "invalid_instant", "unknown_preset"] as const),
  ...([
    "not_this_schema",
    "unsupported_schema",
    "unknown_reference",
    "cascade_cycle",
    "too_few_statements",
    "store_quota",
    "invalid_checkpoint",
  ] as const),
];

/**
 * The body of a workflow that does one job to its end. Each step is a bounded part of it, on from where the step before it
 * ended; the cutoff is fixed by the instance. What it returns comes from the ledger that the slices themselves write, and is true
 * however often a step was killed or tried again, before or after it had taken effect.
 *
 * @throws JanitorError `unknown_setting`, `invalid_setting` for the options and the payload, before the first step; what a step failed with
 * in the end: what was done before stands, and a new instance goes on
 */
export async function sweep(event: SweepEvent, step: SweepStep, options: SweepOptions): Promise<SweepResult> {
  const {
    open,
    close,
    plan,
    maxStatements,
    maxSeconds = MAX_SECONDS,
    retries = RETRIES,
    ...janitor
  } = options;
  requireKnown("sweep", options, OPTIONS);
  requireBounds(options, MOST_SECONDS);
  const allowance = allowanceOf(plan);
  // It is JSON that anybody may have written: what is not known here may have been meant to keep something.
  requireKnown("the payload of the workflow", event.payload, PARAMS);
  const { job } = event.payload;
  const now = event.payload.now ?? event.timestamp.toISOString();
  const ledger = event.instanceId;

  const perform = async <T extends Rpc>(name: string, work: (store: SqlStore) => Promise<T>): Promise<T> => {
    let final: JanitorError | undefined;
    try {
      return await step.do(name, { retries, timeout: TIMEOUT_MS }, async () => {
        try {
          return await work(await open());
        } catch (error) {
          final = isFinal(error) ? error : undefined;
          throw final ? new NonRetryableError(final) : error;
        } finally {
          await close?.();
        }
      });
    } catch (error) {
      // Of an error that ends it, Workflows say no more than that there was one.
      throw final ?? error;
    }
  };

  await perform("begin", async (store) => {
    await openLedger(store);
    return {};
  });

  let checkpoint: Checkpoint | undefined;
  let steps = 0;
  const said: { who: string; warnings: readonly string[] }[] = [];
  do {
    steps += 1;
    const from = checkpoint;
    const part: { warnings: readonly string[]; checkpoint?: Checkpoint } = await perform(
      `part ${steps}`,
      async (store) => {
        const report = await createJanitor({ ...janitor, store }).run(job, {
          now,
          ledger,
          maxSeconds,
          maxStatements: maxStatements ?? allowance.statementsAStep,
          holder: `the workflow ${ledger}`,
          ...(from ? { checkpoint: from } : {}),
        });
        const { warnings, checkpoint: rest } = report;
        return rest ? { warnings, checkpoint: rest } : { warnings };
      },
    );
    said.push({ who: `part ${steps}`, warnings: part.warnings });
    checkpoint = part.checkpoint;
  } while (checkpoint !== undefined);

  const totals = await perform("add up", async (store) => ({
    ...(await (await openLedger(store)).read(ledger)),
  }));
  await perform("forget", async (store) => {
    await (await openLedger(store)).forget(ledger);
    return {};
  }).catch((error: unknown) => {
    // The job is done, whatever becomes of what was written down about it.
    const left = `rows of \`idp_janitor_ledger\` with the run \`${ledger}\` are left: ${plainError(error).message}`;
    said.push({ who: "forget", warnings: [left] });
  });
  return { job, now, steps, ...totals, warnings: whoSaidWhat(said) };
}

function isFinal(error: unknown): error is JanitorError {
  return error instanceof JanitorError && FINAL.includes(error.code);
}

/** Workflows know an error by its name, since it crosses from one isolate to another. */
class NonRetryableError extends Error {
  override readonly name = "NonRetryableError";

  constructor({ code, message }: JanitorError) {
    super(`${code}: ${message}`);
  }
}
