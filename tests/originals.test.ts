/** Ours against the originals: same rows, same clock, and then every remaining row and column compared. */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { createJanitor } from "idp-janitor";
import { nodeSqlite } from "idp-janitor/adapters/node-sqlite";
import { type Bench, judge } from "./support/judge.ts";
import { CASES, NOW } from "./support/original-cases.ts";
import { copyDatabase, readDatabase, seededDatabase } from "./support/originals.ts";

const SEEDS = [1, 2, 3];

const SQLITE: Bench = {
  seeded: (seed) => seededDatabase(seed, NOW),
  copy: async (path) => copyDatabase(path),
  read: async (path) => readDatabase(path),
  // To the byte.
  state: async (path) => createHash("sha256").update(readFileSync(path)).digest("hex"),
  async run(path, job, options) {
    const database = new DatabaseSync(path, { readOnly: options.dryRun ?? false });
    try {
      return await createJanitor({ store: nodeSqlite(database) }).run(job, options);
    } finally {
      database.close();
    }
  },
};

for (const original of CASES) {
  for (const seed of SEEDS) test(`${original.title}, seed ${seed}`, () => judge(SQLITE, original, seed));
}
