// Several connections that do what an identity provider does all day, while a job runs.

import { type Agent, connectAgent, type Fault, faultOf } from "./agent.ts";
import { Chance } from "./chance.ts";
import { DEEDS, type Deed, type Deeds } from "./deeds.ts";
import { type Ground, grounds } from "./grounds.ts";
import { USER } from "./makers.ts";
import type { Known } from "./rows.ts";
import { Missed, Transaction } from "./transaction.ts";

/** What came of the transactions. */
export interface Account {
  committed: number;
  rolledBack: number;
  /** What they were about was not there any more. */
  missed: number;
  readonly faults: Record<Fault, number>;
  /** Users who verified successfully. */
  readonly verified: Set<string>;
  /** Keys that a transaction was refused for: at least one of each list has to lead nowhere. */
  readonly refused: (readonly (readonly [table: string, key: string])[])[];
  /** The longest statement of any. */
  longest: { ms: number; sql: string };
}

export interface Traffic {
  /** Lets the transactions in hand end, and tells. */
  stop(): Promise<Account>;
}

/** How many of the transactions end by a rollback. */
const ROLLBACKS = 0.1;

/** Who works on a database, and what they do. */
export interface Plan {
  readonly url: string;
  /** How many connections. */
  readonly connections: number;
  readonly seed: number;
  /** Everything, unless told otherwise. */
  readonly deeds?: Deeds;
}

/** Begins to work on a database; what is committed is told to `known`. */
export async function startTraffic(plan: Plan, known: Known): Promise<Traffic> {
  const { url, connections, seed, deeds = DEEDS } = plan;
  const account: Account = {
    ...{ committed: 0, rolledBack: 0, missed: 0, verified: new Set<string>(), refused: [] },
    faults: { deadlock: 0, key: 0, "lock timeout": 0 },
    longest: { ms: 0, sql: "" },
  };
  let stopped = false;
  const parts = grounds(known.rows, connections, seed);
  const work = parts.map(async (ground, number) => {
    const agent = await connectAgent(url);
    const chance = new Chance(seed * 1000 + number);
    try {
      while (!stopped) await transact({ agent, chance, ground, deeds }, known, account);
    } finally {
      if (agent.longest.ms > account.longest.ms) account.longest = { ...agent.longest };
      await agent.end();
    }
  });
  const all = Promise.all(work);
  // Whoever fails first is told by `stop`.
  all.catch(() => {});
  return {
    async stop() {
      stopped = true;
      await all;
      return account;
    },
  };
}

interface Worker {
  readonly agent: Agent;
  readonly chance: Chance;
  readonly ground: Ground;
  readonly deeds: Deeds;
}

async function transact(
  { agent, chance, ground, deeds }: Worker,
  known: Known,
  account: Account,
): Promise<void> {
  const deed = drawn(deeds, chance);
  const subject = ground.subject(chance);
  const transaction = await Transaction.begin(agent);
  try {
    await deed(transaction, subject);
    if (chance.happens(ROLLBACKS)) {
      await transaction.rollback();
      account.rolledBack += 1;
      return;
    }
    await transaction.commit();
  } catch (error) {
    await transaction.rollback();
    note(error, transaction, account);
    return;
  }
  account.committed += 1;
  known.committed(transaction.changes);
  ground.learn(transaction.changes);
  for (const { table, key, set } of transaction.changes) {
    if (table === USER && set !== "gone" && set.email_verified) account.verified.add(key);
  }
}

/** Notes why a transaction came to nothing; throws what cannot be its own fault, or the job's. */
function note(error: unknown, transaction: Transaction, account: Account): void {
  if (error instanceof Missed) {
    account.missed += 1;
    return;
  }
  const fault = faultOf(error);
  if (!fault) throw error;
  account.faults[fault] += 1;
  if (fault === "key") account.refused.push(targetsOf(transaction));
}

/** What the changes of a transaction point at, other than each other. */
function targetsOf({ changes }: Transaction): [string, string][] {
  const targets: [string, string][] = [];
  for (const { set } of changes) {
    if (set === "gone") continue;
    for (const [column, table] of Object.entries(TARGETS)) {
      const key = set[column];
      const isOwn = changes.some((change) => change.table === table && change.key === key);
      if (key && !isOwn) targets.push([table, key]);
    }
  }
  return targets;
}

const TARGETS: Readonly<Record<string, string>> = {
  user_id: "people_user",
  application_id: "oauth2_provider_application",
  access_token_id: "oauth2_provider_accesstoken",
  id_token_id: "oauth2_provider_idtoken",
  source_refresh_token_id: "oauth2_provider_refreshtoken",
  device_id: "otp_static_staticdevice",
};

function drawn(deeds: Deeds, chance: Chance): Deed {
  let rest = chance.between(
    0,
    deeds.reduce((sum, [, weight]) => sum + weight, 0),
  );
  for (const [deed, weight] of deeds) {
    rest -= weight;
    if (rest < 0) return deed;
  }
  throw new Error("no deed was drawn");
}
