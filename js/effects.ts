/** What crosses between the core and its host. Internal: nothing of it is part of the public face. */

import type { Diagnosis, Parts, Plan, Progress, Report } from "./report.ts";
import type { Row, SqlValue } from "./store.ts";

/** A run as the core is asked for it. */
export interface CoreRequest {
  readonly job: string;
  readonly preset: string;
  readonly clock: string;
  readonly now?: string | undefined;
  readonly jobs?: object | undefined;
  readonly settings?: object | undefined;
  readonly userTable?: string | undefined;
  readonly onDelete?: object | undefined;
  readonly dryRun?: boolean | undefined;
  readonly planOnly?: boolean | undefined;
  readonly examine?: boolean | undefined;
  readonly maxRows?: number | undefined;
  readonly maxStatements?: number | undefined;
  readonly maxSeconds?: number | undefined;
  readonly sliceMs?: number | undefined;
  readonly concurrency?: number | undefined;
  readonly pauseMs?: number | undefined;
  /** How many calls the store serves at the same time. */
  readonly maxConcurrency?: number | undefined;
  /** Whether the store has sessions. */
  readonly session?: boolean | undefined;
  /** Whether the lease of a job is to be a row. */
  readonly rowLease?: boolean | undefined;
  readonly ledger?: string | undefined;
  readonly split?: { readonly step: number; readonly parts: number } | undefined;
  /** Who runs the job; no two runs have the same. */
  readonly holder?: string | undefined;
}

/** A statement as the core writes it: every parameter is text. */
export interface CoreStatement {
  readonly sql: string;
  readonly params: readonly string[];
}

/** What to do next. */
export type Effect =
  | { readonly query: CoreStatement }
  | { readonly batch: readonly CoreStatement[] }
  | { readonly scan: { readonly collection: string; readonly after?: string; readonly limit: number } }
  | { readonly remove: { readonly collection: string; readonly ids: readonly string[] } }
  | { readonly lease: CoreStatement }
  /** Milliseconds; less if the run is to end. */
  | { readonly wait: number }
  /** Nothing for this lane until another has given an answer. */
  | "park"
  /** What failed last is what the run fails by. */
  | "fail"
  | { readonly done: Report }
  | { readonly examined: Diagnosis }
  | { readonly parted: Parts }
  | { readonly planned: Plan };

/** An effect, and where the run stands if it has just done a slice. */
export interface Step {
  readonly effect: Effect;
  readonly progress?: Progress;
}

/** What came of an effect. */
export type Answer =
  | "began"
  | "waited"
  /** The code of the store's error. */
  | { readonly failed: string }
  | { readonly query: SqlValue[][] }
  | { readonly batch: readonly { readonly rows: SqlValue[][]; readonly changes: number }[] }
  | {
      readonly scan: {
        readonly records: readonly { readonly id: string; readonly row: Row }[];
        readonly next?: string | undefined;
      };
    }
  | { readonly remove: number };

/** An answer, with what the core cannot know by itself. */
export interface Outcome {
  readonly answer: Answer;
  readonly elapsedMs: number;
  readonly aborted: boolean;
  /** Which of the run's lanes, from 0. */
  readonly lane: number;
}
