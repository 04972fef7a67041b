/** What one invocation of a Worker may do. */

/** The plan of the account. */
export type Plan = "free" | "paid";

/** What is left to the jobs of it; the rest is for keys, the heartbeat, and the Worker's own. */
export interface Allowance {
  readonly maxStatements: number;
  readonly maxSeconds: number;
}

/**
 * D1 allows 50 queries an invocation on the free plan and 1,000 on the paid one, and a cron trigger runs for 15 minutes at most
 * (Cloudflare's limits of D1 and Workers, 2026).
 */
export const ALLOWANCES: Readonly<Record<Plan, Allowance>> = {
  free: { maxStatements: 40, maxSeconds: 30 },
  paid: { maxStatements: 900, maxSeconds: 600 },
};

/** Statements of a workflow's step, which sends nothing else: with a ledger, the accounts of HIdP take 46 on D1 at least. */
export const STATEMENTS_A_STEP: Readonly<Record<Plan, number>> = { free: 50, paid: 900 };
