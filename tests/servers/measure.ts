// What others suffer while a job runs, and while its original does:
// `node tests/servers/measure.ts [USERS] [RUNS] [SERVER] [CONNECTIONS]`.

import { createJanitor, type JobName } from "idp-janitor";
import { NOW } from "../support/original-cases.ts";
import { oracle } from "../support/originals.ts";
import { copyServerDatabase, seededServerDatabase } from "../support/originals-servers.ts";
import { DEEDS, RETURNS } from "./deeds.ts";
import { type Fired, underFire } from "./fire.ts";
import { SERVERS } from "./servers.ts";

const [users = "6000", runs = "3", title = "PostgreSQL", others = "6"] = process.argv.slice(2);
const JOBS = ["remove_stale_unverified_accounts", "cleartokens"] as const;
const CONNECTIONS = Number(others);
const SEED = 5;

const server = SERVERS.find((server) => server.title === title);
if (!server) throw new Error(`there is no ${title}`);
// Nobody beside the job would suffer anything, and that would look like a good result.
if (!(Number.isInteger(CONNECTIONS) && CONNECTIONS > 0)) throw new Error(`${others} connections cannot be`);
const engine = await server.start();
try {
  const seeded = await seededServerDatabase(engine, SEED, NOW, Number(users));
  for (const job of JOBS) {
    for (const [what, deeds] of Object.entries({ everything: DEEDS, returns: RETURNS })) {
      for (let seed = 1; seed <= Number(runs); seed += 1) {
        const plan = { job, seed, deeds, connections: CONNECTIONS };
        const theirs = await copyServerDatabase(engine, seeded);
        const original = await underFire({ ...plan, url: theirs }, () => runOriginal(theirs, job));
        show({ job, what, who: "original" }, original);
        const ours = await copyServerDatabase(engine, seeded);
        show(
          { job, what, who: "idp-janitor" },
          await underFire({ ...plan, url: ours }, () => runOurs(ours, job)),
        );
      }
    }
  }
} finally {
  await engine.close();
}
// Whoever is still connected keeps the process.
process.exit(0);

/** What it failed by, if it did. */
async function runOurs(url: string, job: JobName): Promise<string> {
  if (!server) return "";
  const { store, end } = server.open(url);
  try {
    await createJanitor({ store }).run(job, { now: NOW });
    return "";
  } catch (error) {
    return String(error);
  } finally {
    await end();
  }
}

async function runOriginal(database: string, job: string): Promise<string> {
  try {
    await oracle(["run", "--now", NOW, job], { database });
    return "";
  } catch (error) {
    const lines = String(error).trim().split("\n");
    return lines.find((line) => /(Integrity|Operational)Error/.test(line)) ?? lines.at(-1) ?? "failed";
  }
}

function show(which: object, { ended, ms, traffic, lost, verdict, refusedWrongly }: Fired<string>): void {
  const { committed, verified, faults, longest } = traffic;
  console.log(
    JSON.stringify({
      ...{ ...which, ended, seconds: Number((ms / 1000).toFixed(1)), committed },
      ...{ verified: verified.size, verifiedLost: lost.length, rowsLost: verdict.lost },
      ...{ deadlocks: faults.deadlock, refused: faults.key, refusedWrongly },
      longestWaitMs: Math.round(longest.ms),
    }),
  );
}
