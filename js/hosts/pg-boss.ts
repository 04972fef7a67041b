/** Parts of a job through pg-boss, a queue in the PostgreSQL that is there already (npm package `pg-boss`, 12 or later). */

import { requireCore } from "../core.ts";
import { JanitorError } from "../errors.ts";
import type { JobName } from "../janitor.ts";
import { requireKnown } from "../known.ts";
import { requireAmount, requireBounds } from "./bounds.ts";
import {
  beginFanOut,
  type FanOutMessage,
  type FanOutOptions,
  type FanOutStart,
  performMessage,
} from "./fan-out.ts";

export type { FanOutMessage, FanOutResult, FanOutStart } from "./fan-out.ts";

/** What is asked of pg-boss. */
export interface Boss {
  send(queue: string, data: object): Promise<unknown>;
  work(
    queue: string,
    options: object,
    handler: (jobs: { readonly data: object }[]) => Promise<void>,
  ): Promise<string>;
}

/** What the workers work with. */
export interface BossOptions extends Omit<FanOutOptions, "send"> {
  /** The queue, which is yours to create; its retries are those of the parts. */
  readonly queue: string;
  /** Seconds between two looks at the queue, 0.5 to 86,400. Default 2. */
  readonly pollingIntervalSeconds?: number;
}

const POLLING_SECONDS = [0.5, 86_400] as const;

const OPTIONS = [
  ...["store", "queue", "pollingIntervalSeconds", "maxSeconds", "maxStatements", "onEnd"],
  ...["preset", "jobs", "userTable", "onDelete"],
];

/**
 * Begins a run of a job in a queue of pg-boss, and returns its name. Workers of {@link workFanOut} do it.
 *
 * @throws JanitorError as the store does, and `store_leased` where another run of the job began within 20 hours and has not ended
 */
export function sendFanOut(
  boss: Boss,
  job: JobName,
  { store, queue }: Pick<BossOptions, "store" | "queue">,
  start: FanOutStart = {},
): Promise<string> {
  return beginFanOut(job, { store, send: sender(boss, queue) }, start);
}

/**
 * Adds a worker to this process that does the parts one after the other; call it as often as parts are to be done at the same
 * time. A part that fails is tried again by pg-boss, as its queue says. Returns pg-boss's id of the worker, for `offWork`.
 *
 * @throws JanitorError `not_loaded` where `idp-janitor` itself has not been imported; `unknown_setting`, `invalid_setting` where a bound,
 * `pollingIntervalSeconds`, or the name of an option is wrong, and no worker was added. What else is wrong with the options is an error of
 * each part. What pg-boss throws is thrown as it is.
 */
export async function workFanOut(boss: Boss, options: BossOptions): Promise<string> {
  requireCore();
  requireKnown("workFanOut", options, OPTIONS);
  requireBounds(options);
  const { queue, pollingIntervalSeconds = 2, ...rest } = options;
  requireAmount("pollingIntervalSeconds", pollingIntervalSeconds, "seconds", POLLING_SECONDS);
  return boss.work(queue, { pollingIntervalSeconds, batchSize: 1 }, async (jobs) => {
    for (const { data } of jobs) {
      await performMessage(data as FanOutMessage, { ...rest, send: sender(boss, queue) });
    }
  });
}

function sender(boss: Boss, queue: string): FanOutOptions["send"] {
  return async (messages) => {
    for (const message of messages) {
      if ((await boss.send(queue, message)) !== null) continue;
      const why = `pg-boss did not take a part into \`${queue}\`: its policy must be "standard"`;
      throw new JanitorError("invalid_setting", why);
    }
  };
}
