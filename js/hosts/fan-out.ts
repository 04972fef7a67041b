/** One job as messages of a queue: each sweep is cut into parts that any number of workers do at the same time. */

import { JanitorError } from "../errors.ts";
import { createJanitor, type JanitorOptions, type JobName } from "../janitor.ts";
import { type LedgerTotals, openLedger } from "../ledger.ts";
import { PartTable } from "../parts.ts";
import type { Checkpoint } from "../report.ts";
import type { SqlStore } from "../store.ts";

/** What every message of a run says. */
interface OfRun {
  readonly job: JobName;
  /** The instant that the run judges by, RFC 3339. */
  readonly now: string;
  /** The name of the run, under which its slices write their ledger. */
  readonly run: string;
  /** Into how many parts each sweep is cut. */
  readonly parts: number;
  /** Which of the job's sweeps this is about, from 0. */
  readonly step: number;
}

/** A message. It is plain data, of less than 2 KB, and does no harm however often it is delivered. */
export type FanOutMessage =
  | (OfRun & { readonly kind: "sweep" })
  | (OfRun & {
      readonly kind: "part";
      readonly part: number;
      readonly of: number;
      readonly checkpoint: Checkpoint;
    });

/** What a worker works with. */
export interface FanOutOptions extends Omit<JanitorOptions, "store"> {
  readonly store: SqlStore;
  /** Puts messages into the queue. */
  readonly send: (messages: readonly FanOutMessage[]) => Promise<void>;
  /** Seconds until the rest of a part becomes a message of its own. Default 20. */
  readonly maxSeconds?: number;
  /** Statements until then. Default: no bound. */
  readonly maxStatements?: number;
  /** Told of a run that has ended; once, but for a worker that dies just then. */
  readonly onEnd?: ((result: FanOutResult) => void | Promise<void>) | undefined;
}

/** How a run begins. */
export interface FanOutStart {
  /** Into how many parts each sweep is cut, 1 to 1,000. Default 8. */
  readonly parts?: number;
  /** The instant to judge by. Default: now. */
  readonly now?: Date;
}

/** What a run has done in all. */
export interface FanOutResult extends LedgerTotals {
  readonly job: JobName;
  readonly run: string;
  readonly now: string;
}

const PARTS = 8;
const MAX_SECONDS = 20;
/** A run whose messages were lost does not stand in the way of others for longer. */
const DEAD_AFTER_MS = 24 * 3_600_000;

/**
 * Begins a run: sends its first message, and returns its name. The ledgers of earlier runs of the job are removed.
 *
 * @throws JanitorError `store_leased` where another run of the job began within a day and has not ended
 */
export async function beginFanOut(
  job: JobName,
  { store, send }: Pick<FanOutOptions, "store" | "send">,
  { parts = PARTS, now = new Date() }: FanOutStart = {},
): Promise<string> {
  const began = new Date();
  const prefix = `fan-out:${job}:`;
  const run = prefix + began.toISOString();
  const [ledger, table] = [await openLedger(store), new PartTable(store)];
  await table.make();
  for (const [earlier, isDone] of await table.runs()) {
    if (!earlier.startsWith(prefix)) continue;
    const age = began.getTime() - Date.parse(earlier.slice(prefix.length));
    if (!isDone && age < DEAD_AFTER_MS) {
      throw new JanitorError(
        "store_leased",
        `another run of \`${job}\` is fanned out: ${earlier}; wait for its end`,
      );
    }
    await ledger.forget(earlier);
    await table.forget(earlier);
  }
  await table.mark(run, 0, "begun");
  await send([{ kind: "sweep", job, now: now.toISOString(), run, parts, step: 0 }]);
  return run;
}

/**
 * Does what a message says, and sends those that follow from it. A message may be delivered twice, and two at the same time: no row is counted twice, and every sweep is done before the next
 * one begins. What was sent is noted after it was sent, so that a worker which dies in between is made up for by a copy.
 *
 * @throws JanitorError where it has to be delivered again; what was done before stands
 */
export async function performMessage(message: FanOutMessage, options: FanOutOptions): Promise<void> {
  const table = new PartTable(options.store);
  if (message.kind === "part") await performPart(message, options, table);
  else await cutSweep(message, options, table);
}

async function performPart(
  message: FanOutMessage & { readonly kind: "part" },
  options: FanOutOptions,
  table: PartTable,
): Promise<void> {
  const { send, maxSeconds = MAX_SECONDS, maxStatements, onEnd: _, ...rest } = options;
  const { part, of, checkpoint, ...ofRun } = message;
  const { job, run, step } = ofRun;
  const bounds = maxStatements === undefined ? { maxSeconds } : { maxSeconds, maxStatements };
  const report = await createJanitor(rest).run(job, { ...bounds, checkpoint, ledger: run });
  if (report.checkpoint) {
    await send([{ ...message, checkpoint: report.checkpoint }]);
    return;
  }
  await table.done(run, step, part);
  const sweep = await table.read(run, step);
  if (sweep.done < of || sweep.has("followed")) return;
  await send([{ ...ofRun, kind: "sweep", step: step + 1 }]);
  await table.mark(run, step, "followed");
}

async function cutSweep(
  message: FanOutMessage & { readonly kind: "sweep" },
  { send, maxSeconds: _, maxStatements: __, onEnd, ...rest }: FanOutOptions,
  table: PartTable,
): Promise<void> {
  const { job, now, run, step } = message;
  if ((await table.read(run, step)).has("cut")) return;
  const { steps, parts } = await createJanitor(rest).split(job, { now, step, parts: message.parts });
  if (step < steps) {
    await send(
      parts.length === 0
        ? [{ ...message, step: step + 1 }]
        : parts.map((checkpoint, part) => ({ ...message, kind: "part", part, of: parts.length, checkpoint })),
    );
    await table.mark(run, step, "cut");
    return;
  }
  if ((await table.read(run, 0)).has("ended")) return;
  const totals = await (await openLedger(rest.store)).read(run);
  await onEnd?.({ job, run, now, ...totals });
  await table.mark(run, 0, "ended");
}
