import type { Report } from "./report.ts";

/** What a {@link JanitorError} can be about. The codes are stable; the messages are not. */
export type ErrorCode =
  /** No job of that name. */
  | "unknown_job"
  /** A setting or option that does not exist. */
  | "unknown_setting"
  /** A setting or option with a value that it cannot have. */
  | "invalid_setting"
  /** Text that is no RFC 3339 instant, or one outside the years 1 to 9999. */
  | "invalid_instant"
  /** No preset of that name. */
  | "unknown_preset"
  /** The store lacks a table or column that the job needs. */
  | "not_this_schema"
  /** A column references a row to be removed, and nothing says what to do with it. */
  | "unknown_reference"
  /** Cascading foreign keys form a cycle. */
  | "cascade_cycle"
  /** A checkpoint that cannot be read, or that belongs to something else. */
  | "invalid_checkpoint"
  /** A record lacks a field that the rule asks for. */
  | "invalid_record"
  /** Somebody else held the store locked for longer than we wait. */
  | "store_locked"
  /** The store cannot be written to. */
  | "store_read_only"
  /** The store is not there. */
  | "store_missing"
  /** What is there is not a database. */
  | "store_not_a_database"
  /** A record store has no such collection. */
  | "store_missing_table"
  /** The database refused a slice by one of its constraints. */
  | "store_constraint"
  /** Any other failure of the store. */
  | "store_failed"
  /** The wasm is not loaded yet: `await init()` first. */
  | "not_loaded"
  /** A defect of idp-janitor itself. */
  | "internal";

/** The one error that this package throws. */
export class JanitorError extends Error {
  override readonly name = "JanitorError";
  /** What it is about; stable. */
  readonly code: ErrorCode;
  /** What the run had done before it failed, where it had begun. */
  readonly report?: Report;

  /** @param message one line for the person who reads it at night */
  constructor(code: ErrorCode, message: string, options: { cause?: unknown; report?: Report } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    if (options.report) this.report = options.report;
  }
}
