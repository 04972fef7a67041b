/** What one invocation of a Worker may do. */

import { JanitorError } from "../../errors.ts";

/** The plan of the account. */
export type Plan = "free" | "paid";

/** What is left to the jobs of it; the rest is for keys, the heartbeat, and the Worker's own. */
export interface Allowance {
  /** Statements of a tick. */
  readonly maxStatements: number;
  /** Seconds of a tick. */
  readonly maxSeconds: number;
  /**
   * Statements of a workflow's step or of a batch of messages, which send nothing else: with a ledger, the accounts of HIdP take 46 on
   * D1 at least.
   */
  readonly statementsAStep: number;
}

/**
 * D1 allows 50 queries an invocation on the free plan and 1,000 on the paid one, and a cron trigger runs for 15 minutes at most
 * (Cloudflare's limits of D1 and Workers, 2026).
 */
const ALLOWANCES: Readonly<Record<Plan, Allowance>> = {
  free: { maxStatements: 40, maxSeconds: 30, statementsAStep: 50 },
  paid: { maxStatements: 900, maxSeconds: 600, statementsAStep: 900 },
};

/**
 * What a plan allows; the free one, where none is named.
 *
 * @throws JanitorError `invalid_setting` for a plan that does not exist
 */
export function allowanceOf(plan: Plan = "free"): Allowance {
  if (Object.hasOwn(ALLOWANCES, plan)) return ALLOWANCES[plan];
  throw new JanitorError("invalid_setting", `\`plan\` must be "free" or "paid", not ${JSON.stringify(plan)}`);
}
