/** Ours on D1, in workerd, against the originals on SQLite: same rows, same clock, and then every remaining row compared. */

import { after, test } from "node:test";
import type { D1Database } from "@cloudflare/workers-types";
import type { Report } from "idp-janitor";
import { loadIntoD1, readD1 } from "../support/d1.ts";
import { type Bench, judge } from "../support/judge.ts";
import { CASES, NOW } from "../support/original-cases.ts";
import { copyDatabase, readDatabase, seededDatabase } from "../support/originals.ts";
import { startWorker } from "../support/worker.ts";

const SEED = 1;

/** Each case has a database of its own. */
const bindings = CASES.map((_, at) => `DB${at}`);
const running = await startWorker(new URL("workers/jobs.ts", import.meta.url), {
  d1_databases: bindings.map((binding) => ({ binding, database_name: binding, database_id: binding })),
});
after(() => running.close());
const env = (await running.worker.getEnv()) as Record<string, D1Database>;

/** A database is named by its binding, or by the path of a SQLite file. */
const isBinding = (name: string): boolean => name in env;
const bound = (name: string): D1Database => {
  const database = env[name];
  if (!database) throw new Error(`there is no binding ${name}`);
  return database;
};
const files = new Map<string, string>();
const unused = [...bindings];

const D1: Bench = {
  async seeded(seed) {
    const binding = unused.shift() ?? "";
    const path = await seededDatabase(seed, NOW);
    await loadIntoD1(path, bound(binding));
    files.set(binding, path);
    return binding;
  },
  copy: async (binding) => copyDatabase(files.get(binding) ?? ""),
  read: (database) =>
    isBinding(database) ? readD1(bound(database)) : Promise.resolve(readDatabase(database)),
  state: async (binding) => [...(await readD1(bound(binding)))],
  async run(database, job, options) {
    const response = await running.worker.fetch("/", {
      method: "POST",
      body: JSON.stringify({ database, job, options }),
    });
    const { report, error } = (await response.json()) as { report?: Report; error?: string };
    if (!report) throw new Error(error);
    return report;
  },
};

for (const original of CASES) test(`d1: ${original.title}`, () => judge(D1, original, SEED));
