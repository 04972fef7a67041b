import { call, listJobs as coreListJobs, requireCore } from "./core.ts";
import type { CoreRequest } from "./effects.ts";
import { JanitorError } from "./errors.ts";
import { toInstantText } from "./instants.ts";
import { requireKnown } from "./known.ts";
import type { Checkpoint, Diagnosis, OnDelete, Parts, Plan, Progress, Report } from "./report.ts";
import { perform } from "./run.ts";
import type { Store } from "./store.ts";
import { requireWhole } from "./whole.ts";

/** The settings of each job, every one optional. */
export interface JobSettings {
  readonly remove_stale_unverified_accounts?: {
    /** Whole days that an account may stay unverified, 0 or more. Default 90. */
    readonly days?: number;
  };
  readonly remove_complete_and_stale_email_change_requests?: {
    /** Whole days that a request may stay open, 0 or more. Default 7. */
    readonly days?: number;
  };
  readonly cleartokens?: {
    /** Seconds until a refresh token expires; `null` or 0 for never. Default 7,776,000 (90 days), as HIdP sets it. */
    readonly refreshTokenExpireSeconds?: number | null;
    /** Seconds that a revoked refresh token is kept. Default 600, as HIdP sets it. */
    readonly refreshTokenGracePeriodSeconds?: number;
    /** Whether revoked refresh tokens are kept until they expire, so that their reuse is noticed. Default false. */
    readonly refreshTokenReuseProtection?: boolean;
    /** Which version of Django OAuth Toolkit to follow. Default "3.4". */
    readonly rules?: "3.4" | "before-3.4";
    /** Whether expired device grants go too, which the original never removes. Default false. */
    readonly deviceGrants?: boolean;
  };
  /** It has none. */
  readonly clearsessions?: Readonly<Record<never, never>>;
}

/** A job's name. */
export type JobName = keyof JobSettings;

/** What a janitor is made from. */
export interface JanitorOptions {
  /** The store that it works on. */
  readonly store: Store;
  /** The schema's names and on-delete actions. Default `"hidp"`. */
  readonly preset?: "hidp";
  /** Settings of the jobs that differ from the defaults. */
  readonly jobs?: JobSettings;
  /** The project's user table. Default: what `hidp_accounts_emailchangerequest.user_id` references. */
  readonly userTable?: string;
  /**
   * What to do with rows that reference a removed one, by `"table.column"`; goes before database and preset. Refused for a
   * record store, which knows by itself.
   */
  readonly onDelete?: Readonly<Record<string, OnDelete>>;
}

/** How one run goes. */
export interface RunOptions {
  /** Counts and changes nothing. Default false. */
  readonly dryRun?: boolean;
  /** The instant to judge by, RFC 3339 text or a Date. Default: the clock; with a checkpoint, the checkpoint's. */
  readonly now?: string | Date;
  /** Settings of this job for this run; go before those of {@link JanitorOptions.jobs}. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Ends the run after this many stale rows of the job's own tables, 1 or more; one slice is worked on at a time then. */
  readonly maxRows?: number;
  /** Ends the run before more than this many statements; refused where not even one slice would fit. */
  readonly maxStatements?: number;
  /** Ends the run after the slice in which this many seconds have passed, more than 0. */
  readonly maxSeconds?: number;
  /** Ends the run after the slice in hand. */
  readonly signal?: AbortSignal;
  /** Where an earlier run on the same database ended. */
  readonly checkpoint?: Checkpoint | undefined;
  /**
   * The duration that a slice aims at, in milliseconds, 1 to 60,000. Default 2,000 on SQLite, 100 on PostgreSQL and MySQL. Refused for a record store,
   * whose slices are pages.
   */
  readonly sliceMs?: number;
  /**
   * How many slices are worked on at the same time, each on a connection of its own: 1 to 32, and no more than the store
   * serves. Default 1, which is all that SQLite takes.
   */
  readonly concurrency?: number;
  /** Who runs the job, for others who would at the same time and are told. Default "a run of idp-janitor". */
  readonly holder?: string;
  /**
   * A name, 1 to 100 of the characters `A-Z a-z 0-9 . _ : -`, under which every slice of the run writes down what it does, in the same atomic unit: for
   * hosts that may be killed between a slice and its report. {@link openLedger} makes the table and reads it. Refused for a record
   * store; a dry run writes nothing.
   */
  readonly ledger?: string;
  /** A pause after every slice, in milliseconds, 0 to 60,000. Default 0. */
  readonly pauseMs?: number;
  /**
   * Told after every slice, when that is done. What it throws ends the run and reaches its caller as it is, without a report:
   * the slices that it was told of are done, those that other lanes have in hand are finished, and the next run goes on.
   */
  readonly onProgress?: (progress: Progress) => void | Promise<void>;
}

/** Does the jobs on one store. */
export interface Janitor {
  /**
   * Runs a job to its end or to a bound.
   *
   * @throws JanitorError; `report` says what had been done before. Each slice is atomic, so nothing is half done. Besides,
   * whatever {@link RunOptions.onProgress} throws.
   */
  run(job: JobName | (string & {}), options?: RunOptions): Promise<Report>;
  /**
   * Tells what a job would do, from the schema alone, without running any of it.
   *
   * @throws JanitorError as {@link Janitor.run} does before its first slice.
   */
  plan(
    job: JobName | (string & {}),
    options?: Pick<RunOptions, "now" | "settings" | "dryRun">,
  ): Promise<Plan>;
  /**
   * Cuts one of a job's sweeps into parts of about the same length that have no row in common. Each is a checkpoint, and
   * a run that goes on from it does that part and no more, beside others if need be: no lease is taken for it. Changes nothing.
   *
   * @param options `step`: which sweep, from 0; `parts`: how many, 1 to 1,000; MySQL's sweeps are one part
   * @throws JanitorError as {@link Janitor.run} does before its first slice, and `invalid_setting` for a `step` or `parts` that
   * is none
   */
  split(
    job: JobName | (string & {}),
    options: Pick<RunOptions, "now" | "settings"> & { readonly step: number; readonly parts: number },
  ): Promise<Parts>;
  /**
   * Looks at a database, and tells what it has, what each job would do to it and whether the role may do it. Reads the schema
   * alone, and changes nothing.
   *
   * @throws JanitorError `invalid_setting` for a record store and for settings that are wrong, those among them that name a
   * table or column which is not there; `unsupported_schema` for a server that is too old; `store_*` where the database cannot
   * be read.
   */
  examine(options?: Pick<RunOptions, "now">): Promise<Diagnosis>;
}

/** One setting of a job. */
export interface SettingDescription {
  /** Its name, camelCase, as {@link JobSettings} has it. */
  readonly name: string;
  /** What it is where nobody sets it: a number, truth, text, or `null`. */
  readonly default: unknown;
  /** What it is for, with its unit, in one line. */
  readonly summary: string;
}

/** One job as `idp-janitor list` shows it. */
export interface JobDescription {
  readonly name: JobName;
  /** What it removes, in one line. */
  readonly summary: string;
  /** Its settings; none for `clearsessions`. */
  readonly settings: readonly SettingDescription[];
}

const JANITOR_OPTIONS = ["store", "preset", "jobs", "userTable", "onDelete"];
const RUN_OPTIONS = [
  "dryRun",
  "now",
  "settings",
  "maxRows",
  "maxStatements",
  "maxSeconds",
  "signal",
  "checkpoint",
  "sliceMs",
  "concurrency",
  "pauseMs",
  "holder",
  "ledger",
  "onProgress",
];

/**
 * Makes a janitor. Nothing is read before its first run, nor are the settings of jobs checked.
 *
 * @throws JanitorError `unknown_setting` for an option that does not exist, `invalid_setting` without a store, `not_loaded`
 * before `init()`
 */
export function createJanitor(options: JanitorOptions): Janitor {
  requireCore();
  requireKnown("createJanitor", options ?? {}, JANITOR_OPTIONS);
  checkStore(options?.store);
  const { store, preset = "hidp", jobs, userTable, onDelete } = options;

  const request = (job: string, run: RunOptions): CoreRequest => {
    requireKnown("a run", run, RUN_OPTIONS);
    const { now, signal: _signal, onProgress: _onProgress, checkpoint: _checkpoint, ...rest } = run;
    return {
      ...rest,
      job,
      preset,
      jobs,
      userTable,
      onDelete,
      now: toInstantText(now),
      clock: new Date().toISOString(),
    };
  };

  return {
    async run(job, run = {}) {
      const ending = await perform(store, request(job, run), run.checkpoint, run);
      if ("done" in ending) return ending.done;
      throw new JanitorError("internal", "a run ended without its report; this is a defect of idp-janitor");
    },
    async examine(run = {}) {
      const ending = await perform(store, { ...request("cleartokens", run), examine: true }, undefined, {});
      if ("examined" in ending) return ending.examined;
      throw new JanitorError("internal", "an examination ended as a run; this is a defect of idp-janitor");
    },
    async split(job, options) {
      const { step, parts, ...run }: Partial<typeof options> = options ?? {};
      requireWhole("step", step, 0, 1_000);
      requireWhole("parts", parts, 1, 1_000);
      const ending = await perform(store, { ...request(job, run), split: { step, parts } }, undefined, {});
      if ("parted" in ending) return ending.parted;
      throw new JanitorError(
        "internal",
        "parts were asked for and a run was made; this is a defect of idp-janitor",
      );
    },
    async plan(job, run = {}) {
      const ending = await perform(store, { ...request(job, run), planOnly: true }, undefined, {});
      if ("planned" in ending) return ending.planned;
      throw new JanitorError(
        "internal",
        "a plan was asked for and a run was made; this is a defect of idp-janitor",
      );
    },
  };
}

function checkStore(store: Store | undefined): void {
  const given: object = typeof store === "object" && store !== null ? store : {};
  const own = "dialect" in given ? ["query", "batch"] : ["scan", "remove"];
  if (own.every((name) => typeof Reflect.get(given, name) === "function")) return;
  const message =
    "`store` must be a store: an object with `query`, `batch` and a `dialect`, or one with `scan` and `remove`";
  throw new JanitorError("invalid_setting", message, { setting: "store" });
}

/** Describes every job. */
export function listJobs(): readonly JobDescription[] {
  return call(coreListJobs);
}
