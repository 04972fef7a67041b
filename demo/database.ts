import { closeSync, openSync, readFileSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { insertAccess } from "./rows/access.ts";
import { insertApplications } from "./rows/applications.ts";
import { insertChains } from "./rows/chains.ts";
import { insertDevices } from "./rows/devices.ts";
import { insertGrants } from "./rows/grants.ts";
import { insertIdentities } from "./rows/identities.ts";
import { insertSessions } from "./rows/sessions.ts";
import { insertUsers } from "./rows/users.ts";
import { Seeding } from "./seeding.ts";

/** What a demo database is made from. The same options give the same rows. */
export interface DemoOptions {
  /** The seed of all randomness. */
  readonly seed: number;
  /** How many users; token chains are twice as many. */
  readonly users: number;
  /** The instant that ages are told from. */
  readonly now: Date;
}

/**
 * Makes a SQLite file with HIdP's schema and plausible rows, and returns how many by table.
 *
 * @throws if the file exists.
 */
export function createDemoDatabase(path: string, options: DemoOptions): Record<string, number> {
  closeSync(openSync(path, "wx"));
  try {
    return fill(path, options);
  } catch (error) {
    rmSync(path);
    throw error;
  }
}

function fill(path: string, { seed, users: count, now }: DemoOptions): Record<string, number> {
  // Foreign keys are checked once at the end. A file that fails is deleted, so nothing needs to reach the disk before.
  const db = new DatabaseSync(path, { enableForeignKeyConstraints: false });
  try {
    db.exec("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA cache_size = -262144; BEGIN");
    db.exec(readFileSync(new URL("schema.sql", import.meta.url), "utf8"));
    const seeding = new Seeding(db, seed, now.getTime() * 1000);
    const users = insertUsers(seeding, count);
    insertAccess(seeding, users);
    insertIdentities(seeding, users);
    insertDevices(seeding, users);
    const applications = insertApplications(seeding, users);
    insertChains(seeding, users, applications);
    insertGrants(seeding, users, applications);
    insertSessions(seeding, Math.floor(count / 5));
    const broken = db.prepare("PRAGMA foreign_key_check").get();
    if (broken !== undefined) throw new Error(`the seeding left a dangling key: ${JSON.stringify(broken)}`);
    db.exec("COMMIT");
    return seeding.counts;
  } finally {
    db.close();
  }
}
