import type { SqlStore } from "../../store.ts";

/** A store that was opened for the length of one command. */
export interface OpenedStore {
  readonly store: SqlStore;
  /** Gives up every connection. */
  close(): Promise<void>;
}

/** How a database is opened. */
export interface OpenOptions {
  /** Opens it so that nothing of it can change, as far as the database has such a thing. */
  readonly readOnly: boolean;
  /** Makes the file if there is none, for what idp-janitor keeps itself; on SQLite only. */
  readonly create?: boolean;
  /** How many slices are to be in hand at the same time, each on a connection of its own. Default 1. */
  readonly concurrency?: number;
}

/** A kind of database. */
export interface StoreKind {
  /**
   * Opens a database, and makes sure that it answers.
   *
   * @throws JanitorError `invalid_setting` for an address that cannot be meant, before anything is touched; `store_*` for
   * what is found there
   */
  open(url: string, options: OpenOptions): Promise<OpenedStore>;
  /**
   * The address that tells a database from others, without credentials.
   *
   * @throws JanitorError `invalid_setting` for one that cannot be meant
   */
  addressOf(url: string): Promise<string>;
}
