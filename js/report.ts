/** What a run tells: its progress while it works, its report when it ends, its plan before it begins. */

import type { ErrorCode } from "./errors.ts";

/** Where a run stands; sent after every slice. */
export interface Progress {
  /** The job's name. */
  readonly job: string;
  /** The table that is being walked. */
  readonly table: string;
  /** Which of the job's sweeps this is, from 1. */
  readonly step: number;
  /** How many sweeps the job has. */
  readonly steps: number;
  /** Rows of this table walked so far. */
  readonly walked: number;
  /** Rows of this table when its sweep began. */
  readonly total: number;
  /** Stale rows found so far, over all sweeps of the run. */
  readonly selected: number;
  /** Rows removed so far (in a dry run: that would be), dependants included, over all sweeps of the run. */
  readonly removed: number;
  /** Milliseconds since the run began. */
  readonly elapsedMs: number;
}

/**
 * A place to go on from. Opaque plain data that survives JSON. It belongs to one database: on one whose tables differ it is
 * refused, while a copy with the same tables cannot be told from it.
 */
export interface Checkpoint {
  /** The form of this checkpoint; another version of idp-janitor may refuse it. */
  readonly version: 1;
  /** The job that it belongs to. */
  readonly job: string;
  /** The instant that the pass judges by, RFC 3339. A pass keeps it however many runs it takes. */
  readonly now: string;
  /** The settings of the pass; with other ones a run begins a new pass. */
  readonly settings: string;
  /** The tables of the database that it was made on, in short; absent for a record store. */
  readonly schema?: string;
  /** Which of the job's sweeps is in hand, from 0. */
  readonly step: number;
  /** Where in its table the next slice begins; absent at its beginning. */
  readonly from?: string;
  /** Whether rows may have moved to where the walk has been, so that another one follows. */
  readonly moved?: boolean;
  /** Where the work ends, where this is a part of a sweep and no more. */
  readonly upto?: string;
  /** Rows of its table walked so far. */
  readonly walked: number;
  /** Rows of its table when its walk began. */
  readonly total?: number;
  /** How many stale rows a slice took in the end. */
  readonly take?: number;
}

/** One of a job's sweeps in parts. */
export interface Parts {
  /** How many sweeps the job has on this database; each has to be done before the next one begins. */
  readonly steps: number;
  /** Where each part begins and ends; none where the table is empty, or there is no such sweep. */
  readonly parts: readonly Checkpoint[];
}

/** What a run did. Nothing is counted that did not happen. */
export interface Report {
  /** The job's name, snake_case. */
  readonly job: string;
  /** Whether this was a dry run, which changes nothing. */
  readonly dryRun: boolean;
  /** The instant that the run judged by, RFC 3339 with microseconds, UTC. */
  readonly now: string;
  /** The instant before which a row is stale, for jobs that have one. */
  readonly cutoff?: string;
  /** Rows of the job's own tables that were found stale, restricted ones included. */
  readonly selected: number;
  /** Stale rows that were kept because a `restrict` dependant points at them or at something that would go with them. */
  readonly restricted: number;
  /** Stale rows that were kept because somebody else held them, or what would go with them, when they were met and at the end. */
  readonly held: number;
  /** Rows truly removed, by table, dependants included. Tables that lost nothing are absent. Empty in a dry run. */
  readonly removed: Readonly<Record<string, number>>;
  /** In a dry run: exactly what `removed` of a real run would be. */
  readonly wouldRemove?: Readonly<Record<string, number>>;
  /**
   * How often rows let go of one that went, by table: their columns became NULL or took their default. A row that lets go
   * twice counts twice, and one that goes later is in `removed` besides. Empty in a dry run, and on a record store.
   */
  readonly changed: Readonly<Record<string, number>>;
  /** In a dry run: what `changed` of a real run would be. */
  readonly wouldChange?: Readonly<Record<string, number>>;
  /** Whether the whole pass is done. */
  readonly complete: boolean;
  /** Where the next run goes on; present unless `complete`. */
  readonly checkpoint?: Checkpoint;
  /** Atomic units that were performed. */
  readonly slices: number;
  /**
   * Further ones, at least so many, of which nobody knows whether they were performed: the connection was lost before the
   * answer. What went in them is in no count. Absent where there are none.
   */
  readonly uncertain?: number;
  /** Whole milliseconds from the first effect to the last. */
  readonly elapsedMs: number;
  /** Sentences about what a person should look at. */
  readonly warnings: readonly string[];
  /** The outcome in one sentence, in the words of the original command where there is one. */
  readonly summary: string;
}

/** What happens to the rows that point at a row that is removed. */
export type OnDelete = "cascade" | "set-null" | "set-default" | "restrict";

/** One foreign key that a removal has to care for. */
export interface Dependant {
  /** The table whose rows point. */
  readonly table: string;
  /** The columns by which they do, one or more, in the order of the key. */
  readonly columns: readonly string[];
  /** The table that they point at. */
  readonly references: string;
  /** What happens to them when what they point at goes. */
  readonly onDelete: OnDelete;
  /** Who says so. */
  readonly source: "settings" | "database" | "preset";
}

/**
 * One statement of a plan, with `?` where parameters go, and with `:from`, `:upto`, `:window`, `:take` and `:lease` where the
 * text is completed for each slice.
 */
export interface PlannedStatement {
  /** `find` looks for what is stale, `stage` keeps for the statements after it what they are about; the others change rows. */
  readonly purpose: "find" | "stage" | "set null" | "set default" | "delete";
  /** The table that it reads or changes. */
  readonly table: string;
  /** Its text, of several lines. */
  readonly sql: string;
}

/** What a job would do on a database, told from its schema alone. */
export interface Plan {
  /** The job's name, snake_case. */
  readonly job: string;
  /** The instant that it judges by, RFC 3339 with microseconds, UTC. */
  readonly now: string;
  /** The instant before which a row is stale, for jobs that have one. */
  readonly cutoff?: string;
  /** One sentence that says what the job removes. */
  readonly opening: string;
  /** One entry a sweep, in order. */
  readonly sweeps: readonly {
    /** The table that stale rows are removed from. */
    readonly table: string;
    /** What has to be cared for, in the order in which it is; first what holds rows back. Empty for a record store. */
    readonly dependants: readonly Dependant[];
    /** The find statement, then those of one slice in their order. */
    readonly statements: readonly PlannedStatement[];
  }[];
  /** Sentences about what a person should look at. */
  readonly warnings: readonly string[];
}

/** A foreign key by which no index finds rows, so that every slice reads its whole table. */
export interface MissingIndex {
  /** The table that is read whole. */
  readonly table: string;
  /** The columns of its key, one or more, that an index would have to begin with. */
  readonly columns: readonly string[];
  /** The table that the key points at. */
  readonly references: string;
  /** The statement that would add an index. */
  readonly statement: string;
}

/** A foreign key to rows that jobs remove, with which nothing says what to do. */
export interface UnknownReference {
  /** `table.column`; the columns of a key of several with commas between. */
  readonly column: string;
  /** The table that it points at. */
  readonly references: string;
  /** The flag to add, with `cascade` as an example. */
  readonly setting: string;
}

/** What a job would do to a database. */
export interface JobVerdict {
  /** The job's name, snake_case. */
  readonly job: string;
  /** Whether it would run. */
  readonly ready: boolean;
  /**
   * What it would fail with, if it would: `not_this_schema` where a table or column of it is missing, which is no defect of
   * a database of another product; `store_denied` where the role lacks a right; `unknown_reference`, `unsupported_schema`,
   * `cascade_cycle`.
   */
  readonly code?: ErrorCode;
  /** What it would do, or why it would not, in one sentence. */
  readonly verdict: string;
  /** As in its {@link Plan}; empty where the job lacks more than rights. */
  readonly sweeps: Plan["sweeps"];
  /** What the role may not do of what the job does, such as "DELETE on `oauth2_provider_grant`". */
  readonly denied: readonly string[];
  /** As in its {@link Plan}. */
  readonly warnings: readonly string[];
}

/** What was found out about a database. */
export interface Diagnosis {
  /** The database product and its version, such as "PostgreSQL 15.18". */
  readonly server: string;
  /** Whose tables these are, as far as the schema shows. */
  readonly product?: string;
  /** The project's user table; absent where none is set and none is found. */
  readonly userTable?: string;
  /** The tables that jobs read or change, by their names. Those of jobs that have no plan are not among them. */
  readonly tables: readonly {
    /** Its name. */
    readonly table: string;
    /** Its rows by the engine's own estimate; `null` where it has none. */
    readonly rows: number | null;
    /** The foreign keys that point at it and that jobs care for. */
    readonly foreignKeys: readonly Dependant[];
  }[];
  /** Keys of dependants by which no index finds rows. */
  readonly missingIndexes: readonly MissingIndex[];
  /** Keys of dependants with which nothing says what to do. */
  readonly unknownReferences: readonly UnknownReference[];
  /** Every job, also those that are for other databases. */
  readonly jobs: readonly JobVerdict[];
  /** Sentences about what a person should look at, of the database as a whole; what concerns a job stands with it. */
  readonly warnings: readonly string[];
}
