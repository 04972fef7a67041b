/** Cloudflare Queues: parts of a job, done by as many invocations as the queue has at the same time. */

import { JanitorError } from "../../errors.ts";
import type { JobName } from "../../janitor.ts";
import {
  beginFanOut,
  type FanOutMessage,
  type FanOutOptions,
  type FanOutResult,
  type FanOutStart,
  performMessage,
} from "../fan-out.ts";

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
export interface QueueOptions extends Omit<FanOutOptions, "send" | "onEnd"> {
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
 * @param options what to work with, asked for each batch, since bindings and clients belong to one invocation
 */
export function queueHandler<Env>(
  options: (env: Env) => QueueOptions | Promise<QueueOptions>,
): (batch: { readonly messages: readonly QueueMessage[] }, env: Env) => Promise<void> {
  return async ({ messages }, env) => {
    const { queue, onEnd = print, close, ...rest } = await options(env);
    try {
      for (const message of messages) {
        try {
          await performMessage(message.body as FanOutMessage, { ...rest, onEnd, send: sender(queue) });
          message.ack();
        } catch (error) {
          const code = error instanceof JanitorError ? error.code : "internal";
          const why = error instanceof Error ? error.message : String(error);
          console.error(
            JSON.stringify({ event: "idp-janitor", outcome: "failed", error: { code, message: why } }),
          );
          message.retry({ delaySeconds: RETRY_SECONDS });
        }
      }
    } finally {
      await close?.();
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

function print(result: FanOutResult): void {
  console.log(JSON.stringify({ event: "idp-janitor", outcome: "complete", ...result }));
}
