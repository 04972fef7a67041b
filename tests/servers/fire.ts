// A job on a database on which others work at the same time.

import type { JobName } from "idp-janitor";
import { Known, readRows } from "./rows.ts";
import { type Account, type Plan, startTraffic } from "./traffic.ts";
import { judgeRows, type Verdict } from "./verdict.ts";

export interface Fire extends Plan {
  readonly job: JobName;
}

export interface Fired<T> {
  /** What the job ended with. */
  readonly ended: T;
  readonly ms: number;
  readonly traffic: Account;
  readonly known: Known;
  readonly verdict: Verdict;
  /** Users who verified successfully, and are gone. */
  readonly lost: readonly string[];
  /** Transactions that were refused for a key that leads somewhere. */
  readonly refusedWrongly: number;
}

/** Runs a job while others work, and judges what they leave. */
export async function underFire<T>(fire: Fire, run: () => Promise<T>): Promise<Fired<T>> {
  const { url, job } = fire;
  const known = new Known(await readRows(url));
  const traffic = await startTraffic(fire, known);
  const began = performance.now();
  const ended = await run().finally(() => traffic.stop());
  const ms = performance.now() - began;
  const account = await traffic.stop();
  const verdict = await judgeRows(url, job, known);
  const { isThere } = verdict;
  const refusedWrongly = account.refused.filter((keys) => keys.every(([table, key]) => isThere(table, key)));
  return {
    ...{ ended, ms, traffic: account, known, verdict },
    lost: [...account.verified].filter((user) => !isThere("people_user", user)),
    refusedWrongly: refusedWrongly.length,
  };
}

/** What came of the traffic, on one line. */
export function told({ ms, traffic, lost }: Fired<unknown>): string {
  const { committed, verified, faults, refused, longest } = traffic;
  return [
    `${Math.round(ms)} ms beside ${committed} transactions of others`,
    `${verified.size} users verified, of whom ${lost.length} are lost`,
    `${faults.deadlock} deadlocks, ${faults["lock timeout"]} lock timeouts, ${refused.length} for users who are gone`,
    `longest wait ${Math.round(longest.ms)} ms`,
  ].join("; ");
}
