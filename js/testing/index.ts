/** The conformance suites of adapters and caches. They need no test framework: each case is a name and a function that may reject. */
export type { ConformanceCase } from "./check.ts";
export { type KeyCacheHarness, keyCacheCases, type OpenedKeyCache } from "./key-cache.ts";
export { type OpenedRecordStore, type RecordStoreHarness, recordStoreCases } from "./record-store.ts";
export type { OpenedSqlStore, OtherSqlStore, SqlStoreHarness } from "./sql-harness.ts";
export { sqlStoreCases } from "./sql-store.ts";
