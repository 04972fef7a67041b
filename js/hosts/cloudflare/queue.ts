/** Cloudflare Queues: parts of a job, done by as many invocations as the queue has at the same time. */

import { JanitorError } from "../../errors.ts";
import type { JobName } from "../../janitor.ts";
import { requireKnown } from "../../known.ts";
import { requireBounds } from "../bounds.ts";
import {
  beginFanOut,
  type FanOutMessage,
  type FanOutOptions,
  type FanOutResult,
  type FanOutStart,
  performMessage,
} from "../fan-out.ts";
import { metered } from "../metered.ts";
import { plainError, print } from "./log.ts";
import { allowanceOf, type Plan } from "./plans.ts";

/** What is asked of a queue's binding: a `Queue` has it. */
export interface QueueBinding {
  sendBatch(messages: { readonly body: FanOutMessage }[]): Promise<unknown>;
}

/** What is asked of a message. */
export interface QueueMessage {
  readonly body: unknown;
  ack(): void;
  retry(options?: { delaySeconds?: number }): void;
}

/** What the consumer works with. */
export interface QueueOptions extends Omit<FanOutOptions, "send" | "onEnd" | "maxStatements"> {
  /** The plan of the account, whose limits each batch of messages keeps to. Default `"free"`. */
  readonly plan?: Plan;
  /**
   * Statements that a batch may send, 1 or more; a message for which they are too few fails with `too_few_statements`. Default 50 on the
   * free plan, 900 on the paid one.
   */
  readonly maxStatements?: number;
  /** The queue itself, for the messages that follow. */
  readonly queue: QueueBinding;
  /** Told of a run that has ended. Default: prints it as one line of JSON. */
  readonly onEnd?: (result: FanOutResult) => void | Promise<void>;
  /** Called when the invocation ends, for what was opened for it. */
  readonly close?: () => Promise<void>;
}

/** How many messages a batch takes (Cloudflare's limits of Queues, 2026). */
const BATCH = 100;
const RETRY_SECONDS = 10;

const OPTIONS = [
  ...["store", "queue", "plan", "maxStatements", "maxSeconds", "onEnd", "close"],
  ...["preset", "jobs", "userTable", "onDelete"],
];

/**
 * Begins a run of a job in a queue, whose consumer is {@link queueHandler}, and returns its name.
 *
 * @throws JanitorError as the store does, and `store_leased` where another run of the job began within 20 hours and has not ended
 */
export function startFanOut(
  job: JobName,
  { store, queue }: Pick<QueueOptions, "store" | "queue">,
  start: FanOutStart = {},
): Promise<string> {
  return beginFanOut(job, { store, send: sender(queue) }, start);
}

/**
 * The `queue` of a Worker. A message that fails is logged and delivered again, as often as the queue's configuration says; then
 * its dead-letter queue gets it. What was done stands, and its rest is done by the next run.
 *
 * A batch rejects, and is delivered again as a whole, with the JanitorError `unknown_setting` or `invalid_setting` where `plan`, a bound, or the
 * name of an option is wrong, before any message is looked at. What else is wrong with the options is an error of each message.
 *
 * @param options what to work with, asked for each batch, since bindings and clients belong to one invocation
 */
export function queueHandler<Env>(
  options: (env: Env) => QueueOptions | Promise<QueueOptions>,
): (batch: { readonly messages: readonly QueueMessage[] }, env: Env) => Promise<void> {
  return async ({ messages }, env) => {
    const given = await options(env);
    try {
      requireKnown("queueHandler", given, OPTIONS);
      requireBounds(given);
      const { store: uncounted, queue, plan, maxStatements, onEnd = printEnd, close: _, ...rest } = given;
      const { store, statements } = metered(uncounted);
      const most = maxStatements ?? allowanceOf(plan).statementsAStep;
      for (const message of messages) {
        const body = message.body as FanOutMessage;
        const left = most - statements();
        // Those before it in the batch have left too little for it, which even to find out would take some.
        if (left < most / 2) {
          message.retry({ delaySeconds: 0 });
          continue;
        }
        try {
          await performMessage(body, { ...rest, store, onEnd, send: sender(queue), maxStatements: left });
          message.ack();
        } catch (error) {
          const isCrowded =
            left < most && error instanceof JanitorError && error.code === "too_few_statements";
          if (!isCrowded)
            print({ event: "idp-janitor", outcome: "failed", ...nameOf(body), error: plainError(error) });
          message.retry({ delaySeconds: isCrowded ? 0 : RETRY_SECONDS });
        }
      }
    } finally {
      await given.close?.();
    }
  };
}

function sender(queue: QueueBinding): FanOutOptions["send"] {
  return async (messages) => {
    for (let at = 0; at < messages.length; at += BATCH) {
      await queue.sendBatch(messages.slice(at, at + BATCH).map((body) => ({ body })));
    }
  };
}

function printEnd(result: FanOutResult): void {
  print({ event: "idp-janitor", outcome: "complete", ...result });
}

const NAMES = ["job", "run", "step", "part"];

/** What a message says about itself, where it is one of ours. */
function nameOf(body: unknown): object {
  if (typeof body !== "object" || body === null) return {};
  return Object.fromEntries(Object.entries(body).filter(([name]) => NAMES.includes(name)));
}
