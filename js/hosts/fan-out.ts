/** One job as messages of a queue: each sweep is cut into parts that any number of workers do at the same time. */

import { JanitorError } from "../errors.ts";
import { createJanitor, type JanitorOptions, type JobName, listJobs } from "../janitor.ts";
import { requireKnown } from "../known.ts";
import { type LedgerTotals, openLedger } from "../ledger.ts";
import { PARTS_A_STATEMENT, PartTable } from "../parts.ts";
import type { Checkpoint } from "../report.ts";
import type { SqlStore } from "../store.ts";
import { requireWhole } from "../whole.ts";
import { withOwn } from "./metered.ts";

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
      readonly checkpoint: Checkpoint;
    });

/** What a worker works with. */
export interface FanOutOptions extends Omit<JanitorOptions, "store"> {
  readonly store: SqlStore;
  /** Puts messages into the queue. */
  readonly send: (messages: readonly FanOutMessage[]) => Promise<void>;
  /** Seconds until the rest of a part becomes a message of its own, above 0. Default 20. */
  readonly maxSeconds?: number;
  /**
   * Statements that a message may send, those about its part included, 1 or more; one for which they are too few fails with
   * `too_few_statements`. Default: no bound.
   */
  readonly maxStatements?: number;
  /** Told of a run that has ended, at least once. */
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
  /** Sentences about what a person should look at, each behind the parts that said it, whose own the numbers in it are. */
  readonly warnings: readonly string[];
}

const PARTS = 8;
const MOST_PARTS = 1_000;
const MAX_SECONDS = 20;
/** Statements about its part that a message sends: whether the run is under way, that the part is done, whether all are, what follows. */
const ABOUT_THE_PART = 4;
/** Statements of a message that cuts a sweep, besides those that add the parts: at most so many, whatever the database. */
const ABOUT_A_CUT = 12;
/** A run whose messages were lost does not stand in the way of others for longer. */
const DEAD_AFTER_MS = 20 * 3_600_000;

/**
 * Begins a run: sends its first message, and returns its name. The ledgers of earlier runs of the job are removed.
 *
 * @throws JanitorError `store_leased` where another run of the job began within 20 hours and has not ended
 */
export async function beginFanOut(
  job: JobName,
  { store, send }: Pick<FanOutOptions, "store" | "send">,
  start: FanOutStart = {},
): Promise<string> {
  requireKnown("the start of a run", start, ["parts", "now"]);
  const { parts = PARTS, now = new Date() } = start;
  // Whatever is wrong with it is found out here, and not by workers at night.
  check(job, parts, now);
  const began = new Date();
  const prefix = `fan-out:${job}:`;
  const run = prefix + began.toISOString();
  const [ledger, table] = [await openLedger(store), new PartTable(store)];
  await table.make();
  for (const [earlier, isDone] of await table.runs()) {
    if (!earlier.startsWith(prefix)) continue;
    const end = Date.parse(earlier.slice(prefix.length)) + DEAD_AFTER_MS;
    if (!isDone && began.getTime() < end) {
      const message = `another run of \`${job}\` is fanned out: ${earlier}; wait for its end, or until ${new Date(end).toISOString()}`;
      throw new JanitorError("store_leased", message);
    }
    await ledger.forget(earlier);
    await table.forget(earlier);
  }
  await table.mark(run, 0, "begun");
  try {
    await send([{ kind: "sweep", job, now: now.toISOString(), run, parts, step: 0 }]);
  } catch (error) {
    await table.forget(run);
    throw error;
  }
  return run;
}

/** @throws JanitorError `unknown_job`, `invalid_setting`, `invalid_instant` */
function check(job: string, parts: number, now: Date): void {
  if (!listJobs().some(({ name }) => name === job)) {
    throw new JanitorError("unknown_job", `there is no job \`${job}\` that can be fanned out`);
  }
  requireWhole("parts", parts, 1, MOST_PARTS);
  if (Number.isNaN(now.getTime())) throw new JanitorError("invalid_instant", "`now` is no valid Date");
}

/**
 * Does what a message says, and sends those that follow from it. A message may be delivered twice, and two at the same time: no
 * row is counted twice, and every sweep is done before the next one begins. What was sent is noted after it was sent, so that a worker which dies in between is made up for by a copy.
 *
 * @throws JanitorError where it has to be delivered again; what was done before stands
 */
export async function performMessage(message: FanOutMessage, options: FanOutOptions): Promise<void> {
  const table = new PartTable(options.store);
  const { marks } = await table.sweep(message.run, 0);
  // A copy that comes when all is over, or even forgotten.
  if (!marks.has("begun") || marks.has("ended")) return;
  if (message.kind === "part") await performPart(message, options, table);
  else await cutSweep(message, options, table);
}

async function performPart(
  message: FanOutMessage & { readonly kind: "part" },
  options: FanOutOptions,
  table: PartTable,
): Promise<void> {
  const { send, maxSeconds = MAX_SECONDS, maxStatements, onEnd: _, ...rest } = options;
  const { part, checkpoint, ...ofRun } = message;
  const { job, run, step } = ofRun;
  if (maxStatements !== undefined && maxStatements <= ABOUT_THE_PART) {
    const why = `\`maxStatements\` is ${maxStatements}, and a part takes ${ABOUT_THE_PART} besides those of its job`;
    throw new JanitorError("too_few_statements", why);
  }
  const bounds =
    maxStatements === undefined
      ? { maxSeconds }
      : { maxSeconds, maxStatements: maxStatements - ABOUT_THE_PART };
  const { run: perform } = createJanitor(rest);
  const report = await perform(job, { ...bounds, checkpoint, ledger: run }).catch((error: unknown) => {
    throw withOwn(error, ABOUT_THE_PART);
  });
  await table.note({ run, step, part }, report.complete, report.warnings);
  if (report.checkpoint) {
    await send([{ ...message, checkpoint: report.checkpoint }]);
    return;
  }
  const { marks, parts } = await table.sweep(run, step);
  if (marks.has("followed") || !parts.every(({ isDone }) => isDone)) return;
  await send([{ ...ofRun, kind: "sweep", step: step + 1 }]);
  await table.mark(run, step, "followed");
}

async function cutSweep(
  message: FanOutMessage & { readonly kind: "sweep" },
  { send, maxSeconds: _, maxStatements, onEnd, ...rest }: FanOutOptions,
  table: PartTable,
): Promise<void> {
  const { job, now, run, step } = message;
  const least = ABOUT_A_CUT + Math.ceil(message.parts / PARTS_A_STATEMENT);
  if (maxStatements !== undefined && maxStatements < least) {
    const why = `\`maxStatements\` must be ${least} or more for a cut into ${message.parts} parts, not ${maxStatements}`;
    throw new JanitorError("too_few_statements", why);
  }
  const known = await table.sweep(run, step);
  const found = known.marks.has("cut")
    ? undefined
    : await createJanitor(rest).split(job, { now, step, parts: message.parts });
  if (found && step >= found.steps) {
    const totals = await (await openLedger(rest.store)).read(run);
    await onEnd?.({ job, run, now, ...totals, warnings: await table.warnings(run) });
    await table.mark(run, 0, "ended");
    return;
  }
  const parts = found ? await table.cut(run, step, found.parts) : known.parts;
  const open = parts.filter(({ isDone }) => !isDone);
  if (open.length > 0) {
    await send(open.map(({ part, checkpoint }) => ({ ...message, kind: "part", part, checkpoint })));
  } else if (!known.marks.has("followed")) {
    // An empty table, or a worker that died between the last part and what follows from it.
    await send([{ ...message, step: step + 1 }]);
    await table.mark(run, step, "followed");
  }
}
