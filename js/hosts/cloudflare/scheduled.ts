/** Cron triggers: each tick does a bounded part of what is due, and the next one goes on. */

import { JanitorError } from "../../errors.ts";
import type { JanitorOptions, JobName } from "../../janitor.ts";
import { createKeys, type KeysOptions } from "../../keys/keys.ts";
import type { ClientReport } from "../../keys/report.ts";
import { requireKnown } from "../../known.ts";
import type { SqlStore } from "../../store.ts";
import { requireAmount, requireBounds } from "../bounds.ts";
import { type Turn, type TurnOutcome, takeTurns } from "../turns.ts";
import { type Heartbeat, heartbeatAt, tell } from "./heartbeat.ts";
import { type PlainError, plainError, print } from "./log.ts";
import { type Allowance, allowanceOf, type Plan } from "./plans.ts";

/** What a cron expression can name: a job of the database, or the refresh of signing keys. */
export type ScheduledJob = JobName | "refresh_oidc_clients_jwks";

/** What the ticks do. */
export interface ScheduledOptions extends Omit<JanitorOptions, "store"> {
  /** The store of the jobs, such as `d1(env.DB)`; may be absent where only keys are refreshed. */
  readonly store?: SqlStore;
  /** The jobs by cron expression, each exactly as in the Worker's configuration. */
  readonly crons: Readonly<Record<string, readonly ScheduledJob[]>>;
  /** The plan of the account, whose limits the jobs keep to. Default `"free"`. */
  readonly plan?: Plan;
  /**
   * Statements that the jobs of a tick may send, 1 or more; a job for which they are too few fails with `too_few_statements`. Default 40
   * on the free plan, 900 on the paid one.
   */
  readonly maxStatements?: number;
  /**
   * Seconds until nothing more is begun in a tick, above 0; Cloudflare ends a tick after 900. Default 30 on the free plan, 600 on the
   * paid one.
   */
  readonly maxSeconds?: number;
  /** The duration that a slice aims at, in milliseconds, 1 to 60,000. Default as in `RunOptions`. */
  readonly sliceMs?: number;
  /**
   * Hours from the end of a job's pass to the beginning of its next one, 0 to 8,784 (366 days). Default 12: ticks through a night make
   * one pass.
   */
  readonly restHours?: number;
  /** Counts and changes nothing, nor keeps where it ended: each tick begins anew. Default false. */
  readonly dryRun?: boolean;
  /** The providers, and the cache of their keys; needed where a cron refreshes keys. */
  readonly keys?: KeysOptions;
  /**
   * A dead man's switch that is told of each tick by a POST: at this address if all went well, and at `/fail` below it if something
   * failed, or the plan's rows were used up; or at two addresses.
   */
  readonly heartbeat?: string | Heartbeat;
  /** Told of what each job did. Default: prints it as one line of JSON. */
  readonly log?: (entry: ScheduledEntry) => void;
  /** Called when the tick ends, for what was opened for it, such as a client of Hyperdrive. */
  readonly close?: () => Promise<void>;
}

/** What one job did in a tick, for a log. */
export interface ScheduledEntry {
  readonly event: "idp-janitor";
  readonly job: ScheduledJob;
  readonly cron: string;
  /** As of a turn; of keys, `complete` or `failed`. */
  readonly outcome: TurnOutcome;
  /** Rows that were removed, by table; in a dry run, that would be. */
  readonly removed?: Readonly<Record<string, number>>;
  readonly dryRun?: boolean;
  /** Sentences about what a person should look at; of keys, each behind the client that it is about. */
  readonly warnings?: readonly string[];
  /** Statements that were sent. */
  readonly statements?: number;
  /** Of keys: what became of each client, and what failed. */
  readonly clients?: readonly Pick<ClientReport, "client" | "outcome" | "error">[];
  /** The code and message of what failed; of keys, of the first client that did. */
  readonly error?: PlainError;
}

/** What is asked of a cron's event. */
export interface ScheduledEvent {
  readonly cron: string;
  /** When it was due, in milliseconds since 1970: what passes that begin with it judge by. */
  readonly scheduledTime: number;
}

const OPTIONS = [
  ...["store", "crons", "plan", "maxStatements", "maxSeconds", "sliceMs", "restHours", "dryRun", "keys"],
  ...["heartbeat", "log", "close", "preset", "jobs", "userTable", "onDelete"],
];

const DEFAULT_REST_HOURS = 12;
const REST_HOURS = [0, 366 * 24] as const;

/**
 * The `scheduled` of a Worker. Each tick gives the jobs of its cron expression that are due a turn within the limits of the plan,
 * keeps in the table `idp_janitor_passes` where they ended, and logs one object a job. Ticks that overlap do no harm: the
 * second finds the job's lease taken, and leaves it. What fails is thrown at the end, so that the tick counts as failed.
 *
 * A tick rejects with the JanitorError of what failed first: `unknown_setting` and `invalid_setting` for the options themselves, before
 * anything is touched; that of a job or of a client's keys, after which what others did stands; `store_*` where the passes cannot be read.
 *
 * @param options what to do, asked at each tick, since bindings and clients belong to one invocation
 */
export function scheduledHandler<Env>(
  options: (env: Env) => ScheduledOptions | Promise<ScheduledOptions>,
): (event: ScheduledEvent, env: Env) => Promise<void> {
  return async (event, env) => {
    const given = await options(env);
    const { heartbeat } = given;
    const entries: ScheduledEntry[] = [];
    const failures: unknown[] = [];
    try {
      await tick(event, given, entries, failures);
    } catch (error) {
      failures.push(error);
    }
    await given.close?.().catch((error: unknown) => failures.push(error));
    if (heartbeat !== undefined) {
      const to = typeof heartbeat === "string" ? heartbeatAt(heartbeat) : heartbeat;
      // A plan that is used up every night is nothing that mends itself.
      const isBad = failures.length > 0 || entries.some(({ outcome }) => outcome === "quota");
      const what = failures.length > 0 ? plainError(failures[0]) : entries;
      const silent = await tell(to, isBad ? "failure" : "success", what);
      if (silent !== undefined) console.warn(`idp-janitor: the heartbeat could not be told: ${silent}`);
    }
    if (failures.length > 0) throw failures[0];
  };
}

async function tick(
  { cron, scheduledTime }: ScheduledEvent,
  options: ScheduledOptions,
  entries: ScheduledEntry[],
  failures: unknown[],
): Promise<void> {
  requireKnown("scheduledHandler", options, OPTIONS);
  requireBounds(options);
  requireAmount("restHours", options.restHours, "hours", REST_HOURS);
  const allowance = allowanceOf(options.plan);
  const { crons, log = print } = options;
  const jobs = crons[cron];
  if (jobs === undefined) {
    const known = Object.keys(crons).map((name) => `"${name}"`);
    const message = `\`crons\` has no jobs for "${cron}", which the Worker's configuration has; it has ${known.join(", ")}`;
    throw new JanitorError("invalid_setting", message);
  }
  const note = (entry: ScheduledEntry) => {
    entries.push(entry);
    log(entry);
  };
  if (jobs.includes("refresh_oidc_clients_jwks")) await refresh(cron, options, note, failures);
  const due = new Date(scheduledTime);
  for (const turn of await turnsOf(jobs.filter(isOfStore), options, allowance, due)) {
    if (turn.outcome === "failed") failures.push(turn.error);
    if (turn.outcome !== "resting") note(entryOf(cron, turn));
  }
}

async function turnsOf(
  jobs: readonly JobName[],
  options: ScheduledOptions,
  allowance: Allowance,
  now: Date,
): Promise<readonly Turn[]> {
  if (jobs.length === 0) return [];
  const {
    store,
    crons: _,
    plan: _plan,
    maxStatements,
    maxSeconds,
    sliceMs,
    restHours,
    dryRun,
    ...rest
  } = options;
  if (store === undefined) {
    throw new JanitorError("invalid_setting", `\`store\` is missing, and ${jobs[0]} needs one`);
  }
  const { keys: _keys, heartbeat: _heartbeat, log: _log, close: _close, ...janitor } = rest;
  return takeTurns(jobs, {
    janitor,
    store,
    now,
    maxStatements: maxStatements ?? allowance.maxStatements,
    maxSeconds: maxSeconds ?? allowance.maxSeconds,
    restHours: restHours ?? DEFAULT_REST_HOURS,
    run: { dryRun: dryRun ?? false, holder: "a cron trigger", ...(sliceMs === undefined ? {} : { sliceMs }) },
  });
}

async function refresh(
  cron: string,
  { keys }: ScheduledOptions,
  note: (entry: ScheduledEntry) => void,
  failures: unknown[],
): Promise<void> {
  const entry = { event: "idp-janitor", job: "refresh_oidc_clients_jwks", cron } as const;
  try {
    if (keys === undefined)
      throw new JanitorError("invalid_setting", "`keys` is missing, and a cron refreshes keys");
    const { clients } = await createKeys(keys).refresh();
    const warnings = clients.flatMap((of) => of.warnings.map((warning) => `${of.client}: ${warning}`));
    const told = {
      ...entry,
      clients: clients.map(({ client, outcome, error }) => ({ client, outcome, ...(error && { error }) })),
      ...(warnings.length > 0 && { warnings }),
    };
    const error = failureOf(clients);
    if (error === undefined) return note({ ...told, outcome: "complete" });
    failures.push(error);
    note({ ...told, outcome: "failed", error: plainError(error) });
  } catch (error) {
    failures.push(error);
    note({ ...entry, outcome: "failed", error: plainError(error) });
  }
}

/** The error of the first client that failed, with the names of the others that did. */
function failureOf(clients: readonly ClientReport[]): JanitorError | undefined {
  const failed = clients.flatMap(({ client, error }) => (error ? [{ client, ...error }] : []));
  const [first, ...others] = failed;
  if (first === undefined) return undefined;
  const names = others.map(({ client }) => client).join(", ");
  const rest = names === "" ? "" : `; the refresh of ${names} failed, too`;
  return new JanitorError(first.code, `${first.client}: ${first.message}${rest}`);
}

function isOfStore(job: ScheduledJob): job is JobName {
  return job !== "refresh_oidc_clients_jwks";
}

function entryOf(cron: string, { job, outcome, statements, report, error }: Turn): ScheduledEntry {
  return {
    event: "idp-janitor",
    job,
    cron,
    outcome,
    statements,
    ...(report ? { removed: report.wouldRemove ?? report.removed, dryRun: report.dryRun } : {}),
    ...(report?.warnings.length ? { warnings: report.warnings } : {}),
    ...(error ? { error: plainError(error) } : {}),
  };
}
