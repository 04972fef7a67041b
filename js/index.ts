/** The public face, the same in every runtime; `js/entry/` adds how the wasm is loaded. */
export { type ErrorCode, JanitorError } from "./errors.ts";
export {
  createJanitor,
  type Janitor,
  type JanitorOptions,
  type JobDescription,
  type JobName,
  type JobSettings,
  listJobs,
  type RunOptions,
  type SettingDescription,
} from "./janitor.ts";
export type * from "./key-cache.ts";
export type { Fetch } from "./keys/fetch.ts";
export type * from "./keys/id-token.ts";
export {
  type CachedKeySet,
  createKeys,
  type KeyRefreshOptions,
  type Keys,
  type KeysOptions,
} from "./keys/keys.ts";
export { parseKeySet } from "./keys/parse.ts";
export type { ProviderOptions } from "./keys/providers.ts";
export type * from "./keys/public-key.ts";
export type * from "./keys/report.ts";
export { type Ledger, type LedgerTotals, openLedger } from "./ledger.ts";
export type * from "./report.ts";
export { type SelectOptions, selectStale } from "./select.ts";
export type * from "./store.ts";
