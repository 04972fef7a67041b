// The originals on a database server, as `originals.ts` has them on SQLite: seeded databases, and a comparison of two.

import { compareRows } from "./differences.ts";
import type { Engine } from "./engines.ts";
import { oracle } from "./originals.ts";
import { readServerDatabase } from "./server-rows.ts";

export { readServerDatabase };

/** What was made on each engine, to be copied: the tables, and each seed in them. */
const made = new WeakMap<Engine, Map<string, Promise<string>>>();

/** The url of a new database that is the same for the same arguments. */
export async function seededServerDatabase(
  engine: Engine,
  seed: number,
  now: string,
  users?: number,
): Promise<string> {
  const size = users === undefined ? [] : ["--users", String(users)];
  const seeded = await madeOnce(engine, JSON.stringify([seed, now, users]), async () => {
    const database = await copyServerDatabase(engine, await migrated(engine));
    await oracle(["seed", "--seed", String(seed), "--now", now, ...size], { database });
    return database;
  });
  return copyServerDatabase(engine, seeded);
}

/** A copy of a database that nobody is connected to. */
export function copyServerDatabase(engine: Engine, url: string): Promise<string> {
  return engine.createDatabase({ template: new URL(url).pathname.slice(1) });
}

/** Throws where two databases do not hold the same rows, and says which. */
export async function compareServerDatabases(a: string, b: string): Promise<void> {
  const read = async (url: string) => ({ name: url, rows: await readServerDatabase(url) });
  compareRows(await read(a), await read(b));
}

function migrated(engine: Engine): Promise<string> {
  return madeOnce(engine, "migrated", async () => {
    const database = await engine.createDatabase();
    await oracle(["migrate"], { database });
    return database;
  });
}

function madeOnce(engine: Engine, what: string, make: () => Promise<string>): Promise<string> {
  const ofEngine = made.get(engine) ?? new Map<string, Promise<string>>();
  made.set(engine, ofEngine);
  const earlier = ofEngine.get(what);
  if (earlier) return earlier;
  const url = make();
  ofEngine.set(what, url);
  return url;
}
