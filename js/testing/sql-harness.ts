/** What the suite asks of whoever runs it. */

import type { SqlStore } from "../store.ts";
import type { ConformanceCase } from "./check.ts";

/** A store under test, with a way of its own to the same database: an adapter is never its own witness. */
export interface OpenedSqlStore {
  readonly store: SqlStore;
  /** Runs a statement without the adapter, as a role that may do anything in the database. */
  execute(sql: string): Promise<void>;
  /** The rows of a query without the adapter, each value as text, NULL as null. */
  read(sql: string): Promise<(string | null)[][]>;
  close(): Promise<void>;
}

/** Another store on the database of an opened one. */
export interface OtherSqlStore {
  readonly store: SqlStore;
  close(): Promise<void>;
}

/** How the suite gets a store. */
export interface SqlStoreHarness {
  /** Opens a store on a fresh, empty database. */
  open(): Promise<OpenedSqlStore>;
  /**
   * Makes the row 1 of the table `things` wait for somebody else, or the whole database where locks are of that; the function
   * that is returned lets go of it.
   */
  lock?(opened: OpenedSqlStore): Promise<() => Promise<void>>;
  /** Breaks every connection that the store has now, as a server that restarts does. */
  disconnect?(opened: OpenedSqlStore): Promise<void>;
  /**
   * Whether the database rounds integers beyond 2^53 that a batch returns, so that all the adapter can do is to fail with
   * `store_failed` rather than to pass them on. Default false.
   */
  readonly roundsIntegersInBatches?: boolean;
  /**
   * What a batch fails with that leaves a foreign key broken which is checked at its end. Default `store_constraint`;
   * `store_unavailable` where the database does not say what was wrong.
   */
  readonly brokenKey?: "store_constraint" | "store_unavailable";
  /** Whether the store is on a single connection, and cannot be used any more once that is broken. Default false. */
  readonly isOneConnection?: boolean;
  /** A store that cannot write because of the server, a setting or the file. */
  readOnly?(opened: OpenedSqlStore): Promise<OtherSqlStore>;
  /** A store of a role that may read all tables, and write to none. */
  denied?(opened: OpenedSqlStore): Promise<OtherSqlStore>;
}

/** Makes a case of what is to hold of a store on a fresh database with the suite's tables. */
export type MakeCase = (name: string, body: (opened: OpenedSqlStore) => Promise<void>) => ConformanceCase;
