import type { DemoOptions } from "../../demo/database.ts";
import type { Contender, Way } from "../contenders.ts";

/** A kind of database that the jobs are measured on. A database is named by its url, as our command line takes it. */
export interface Engine {
  /** SQL by hand, as suits this kind. The first is what all are held against. */
  readonly handWritten: readonly Contender[];
  /** The ways of ours that matter here. */
  readonly ours: readonly Way[];
  /** Makes the database that every run gets a copy of. */
  seed(options: DemoOptions): Promise<string>;
  /** A copy that is on the disk and has been read, so that no contender finds a colder one than another. */
  copy(url: string): Promise<string>;
  fingerprint(url: string): Promise<Fingerprint>;
  remove(url: string): Promise<void>;
  /** Milliseconds of CPU that the server has taken so far, where there is a server and the system tells. */
  serverCpu(): number | undefined;
  close(): Promise<void>;
}

/** A hash for each table, which depends on every column of every row. */
export type Fingerprint = ReadonlyMap<string, string>;

/** The tables that are not the same in both. */
export function differingTables(one: Fingerprint, other: Fingerprint): string[] {
  const tables = new Set([...one.keys(), ...other.keys()]);
  return [...tables].filter((table) => one.get(table) !== other.get(table));
}
