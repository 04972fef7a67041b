import type { Report } from "./report.ts";

/** What a {@link JanitorError} can be about. The codes are stable; the messages are not. */
export type ErrorCode =
  /** No job of that name. */
  | "unknown_job"
  /** A setting or option that does not exist. */
  | "unknown_setting"
  /** A setting or option with a value that it cannot have. */
  | "invalid_setting"
  /** A bound on statements within which not even one slice of the job fits. */
  | "too_few_statements"
  /** Text that is no RFC 3339 instant, or one outside the years 1 to 9999. */
  | "invalid_instant"
  /** No preset of that name. */
  | "unknown_preset"
  /** The store lacks a table or column that the job needs. */
  | "not_this_schema"
  /** The job's tables and columns are there, and something about them cannot be worked on, or only the wrong way. */
  | "unsupported_schema"
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
  /** The database undid a transaction because of others: a deadlock, a serialisation failure. */
  | "store_conflict"
  /** A statement took longer than it may. */
  | "store_timeout"
  /** The database cannot be reached, or the connection was lost. */
  | "store_unavailable"
  /** The database lets this role not in, or not do it. */
  | "store_denied"
  /** Another run of the job holds the database, or has taken it over. */
  | "store_leased"
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
  /** What the plan of the store allows for the day is used up. */
  | "store_quota"
  /** Any other failure of the store. */
  | "store_failed"
  /** No provider of that name is configured. */
  | "unknown_provider"
  /** A provider could not be reached: no connection, a broken one, or no TLS that is trusted. */
  | "provider_unreachable"
  /** A provider gave no whole answer in time. */
  | "provider_timeout"
  /** A provider answered with a status that is no success. */
  | "provider_status"
  /** A provider redirects to where it is not followed: to http, to another origin, too often. */
  | "provider_redirect"
  /** A provider's answer was longer than allowed. */
  | "provider_too_large"
  /** A discovery document that is no such, or has no usable `jwks_uri`. */
  | "discovery_malformed"
  /** A discovery document of another issuer. */
  | "discovery_issuer"
  /** A key set of more than 1 MiB. */
  | "key_set_too_large"
  /** A key set nested deeper than 16 levels. */
  | "key_set_too_deep"
  /** A key set that is no JSON. */
  | "key_set_not_json"
  /** JSON that is no key set (no object, without `keys`, or `keys` is no list), or whose objects have more than 2000 members in all. */
  | "key_set_malformed"
  /** A key set of more than 100 keys. */
  | "key_set_too_many_keys"
  /** A key set without any key. */
  | "key_set_empty"
  /** A key set of which no key can be used. */
  | "key_set_unusable"
  /** There are no keys of a provider that may be used; tokens of it are refused. */
  | "keys_unavailable"
  /** A cache of keys failed. */
  | "cache_failed"
  /** The signal of the caller ended it. */
  | "aborted"
  /** A token that is no signed token in compact form, or whose header or claims cannot be read. */
  | "token_malformed"
  /** A token signed with an algorithm that is not allowed. */
  | "token_algorithm"
  /** A token for which its provider has no key, or none that this engine can verify with. */
  | "token_key"
  /** A token whose signature is not that of its provider's key. */
  | "token_signature"
  /** A token with a claim that is missing or has another value: `iss`, `sub`, `aud`, `exp`, `iat`, `nonce`. */
  | "token_claims"
  /** A token whose time is over. */
  | "token_expired"
  /** A token whose time has not come. */
  | "token_not_yet_valid"
  /** The wasm is not loaded yet: `await init()` first. */
  | "not_loaded"
  /** A defect of idp-janitor itself. */
  | "internal";

/** Whether a failure of a store will not be over by the next run, unless somebody sees to it. */
export function isLasting(code: ErrorCode): boolean {
  return code === "store_denied" || code === "store_constraint" || code === "store_read_only";
}

/**
 * What this package throws at whatever it refuses, and for whatever a store, a cache or a provider fails with. What a
 * function of the caller throws, such as `onProgress` of a run, reaches the caller as it is.
 */
export class JanitorError extends Error {
  override readonly name = "JanitorError";
  /** What it is about; stable. */
  readonly code: ErrorCode;
  /** What the run had done before it failed, where it had begun. */
  readonly report?: Report;
  /**
   * The option or setting of a job that was refused for its value, by its name: `maxRows`, `days`, of an action
   * `onDelete.table.column`. Absent where the error is about none of these.
   */
  readonly setting?: string;

  /** @param message one line for the person who reads it at night */
  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; report?: Report; setting?: string } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    if (options.report) this.report = options.report;
    if (options.setting !== undefined) this.setting = options.setting;
  }
}
