/** The example script, from the tarball, on a PostgreSQL with HIdP's rows: it leaves what the originals leave. */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readdir, symlink } from "node:fs/promises";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createJanitor, type Report } from "idp-janitor";
import { pg } from "idp-janitor/adapters/pg";
import { Pool } from "pg";
import { installed, type Project, ROOT } from "../package/packed.ts";
import { addRuntimeTypes, checkPrograms, NODE } from "../package/types.ts";
import { compareRows, type Rows } from "../support/differences.ts";
import type { Engine } from "../support/engines.ts";
import { oracle } from "../support/originals.ts";
import {
  copyServerDatabase,
  readServerDatabase,
  seededServerDatabase,
} from "../support/originals-servers.ts";
import { startPostgres } from "../support/postgres.ts";
import { connect } from "../support/server-query.ts";

const EXAMPLE = fileURLToPath(new URL("../../examples/node-script/", import.meta.url));
const JOBS = [
  "remove_stale_unverified_accounts",
  "remove_complete_and_stale_email_change_requests",
  "cleartokens",
  "clearsessions",
];
/** So short that a run of a job ends after its first slice. */
const BRIEF = ["--max-seconds", "0.001"];

/** The script judges by the clock. */
const NOW = new Date().toISOString();

let project: Project;
let engine: Engine;

before(async () => {
  [project, engine] = await Promise.all([installed(), startPostgres()]);
  await cp(EXAMPLE, project.folder, { recursive: true });
  // The driver that this repository has. What belongs to it is found beside it.
  for (const name of ["pg", "@types/pg"]) {
    await mkdir(project.at("node_modules/@types"), { recursive: true });
    await symlink(`${ROOT}node_modules/${name}`, project.at(`node_modules/${name}`));
  }
});
after(() => engine?.close());

interface Outcome {
  readonly status: number | null;
  readonly reports: readonly Report[];
  readonly stderr: string;
}

/** A database, a copy of it for the originals, and a folder for what the script keeps. */
async function seeded(users?: number) {
  const ours = await seededServerDatabase(engine, 1, NOW, users);
  const theirs = await copyServerDatabase(engine, ours);
  return { ours, theirs, state: await mkdtemp(project.at("state-")) };
}

function start(url: string | undefined, state: string, args: readonly string[] = []): ChildProcess {
  const env = { ...process.env, STATE_DIRECTORY: state, DATABASE_URL: url };
  return spawn(process.execPath, ["nightly.ts", ...args], { cwd: project.folder, env });
}

async function finished(child: ChildProcess): Promise<Outcome> {
  const said = { stdout: "", stderr: "" };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    said.stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said.stderr += text;
  });
  const [status] = (await once(child, "close")) as [number | null];
  const reports = said.stdout.split("\n").slice(0, -1);
  return { status, reports: reports.map((line) => JSON.parse(line) as Report), stderr: said.stderr };
}

const run = (url: string | undefined, state: string, args?: readonly string[]) =>
  finished(start(url, state, args));

/** Has the originals do what was reported done, each as of the instant that ours judged by, and compares the rows. */
async function judge(ours: string, theirs: string, reports: readonly Report[]): Promise<void> {
  for (const [at, { job, now, complete, slices }] of reports.entries()) {
    // Each takes most of a second. Of runs that found nothing, the last one of a job stands for all.
    const isLast = !reports.slice(at + 1).some((later) => later.job === job);
    if (complete && (slices > 0 || isLast)) await oracle(["run", "--now", now, job], { database: theirs });
  }
  const read = async (name: string, url: string) => ({ name, rows: await readServerDatabase(url) });
  compareRows(await read("ours", ours), await read("theirs", theirs));
}

/** How many rows each table has lost. */
function lost(earlier: Rows, later: Rows): Record<string, number> {
  const counts = [...earlier].map(
    ([table, rows]) => [table, rows.length - (later.get(table)?.length ?? 0)] as const,
  );
  return Object.fromEntries(counts.filter(([, count]) => count !== 0));
}

/** What several runs have removed in all. */
function removedBy(reports: readonly Report[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const { removed } of reports) {
    for (const [table, count] of Object.entries(removed)) sum[table] = (sum[table] ?? 0) + count;
  }
  return sum;
}

test("is a program of TypeScript", async () => {
  await addRuntimeTypes(project);
  await checkPrograms(project, [...NODE, "--noUnusedLocals", "--erasableSyntaxOnly"], ["nightly.ts"]);
});

test("a dry run changes nothing, and tells what would go", async () => {
  const { ours, state } = await seeded();
  const earlier = await readServerDatabase(ours);
  const dry = await run(ours, state, ["--dry-run"]);
  assert.deepEqual([dry.status, dry.stderr], [0, ""]);
  assert.deepEqual(await readServerDatabase(ours), earlier);
  assert.deepEqual(await readdir(state), []);
  assert.deepEqual(
    dry.reports.map(({ job, dryRun }) => [job, dryRun]),
    JOBS.map((job) => [job, true]),
  );
  const real = await run(ours, state);
  assert.deepEqual(dry.reports[0]?.wouldRemove, real.reports[0]?.removed);
  assert.ok((dry.reports[0]?.selected ?? 0) > 0);
});

test("leaves what the originals leave", async () => {
  const { ours, theirs, state } = await seeded();
  const earlier = await readServerDatabase(ours);
  const { status, stderr, reports } = await run(ours, state);
  assert.deepEqual([status, stderr], [0, ""]);
  assert.deepEqual(
    reports.map(({ job, complete }) => [job, complete]),
    JOBS.map((job) => [job, true]),
  );
  await judge(ours, theirs, reports);
  assert.deepEqual(removedBy(reports), lost(earlier, await readServerDatabase(ours)));
  assert.deepEqual(await readdir(state), []);
});

test("leaves what the originals leave when it has no time, and goes on from where it was", async () => {
  const { ours, theirs, state } = await seeded(2000);
  const earlier = await readServerDatabase(ours);
  const reports: Report[] = [];
  let status: number | null = 75;
  for (let nights = 0; status === 75; nights += 1) {
    assert.ok(nights < 100, "it does not come to an end");
    const night = await run(ours, state, BRIEF);
    status = night.status;
    assert.equal(night.stderr, "");
    reports.push(...night.reports);
    assert.ok(
      night.reports.every((report) => !("checkpoint" in report)),
      "a place can be a secret",
    );
    const left = night.reports.filter(({ complete }) => !complete).map(({ job }) => `${job}.json`);
    assert.deepEqual(await readdir(state), left.sort());
    assert.equal(status, left.length > 0 ? 75 : 0);
  }
  assert.equal(status, 0);
  const tokens = reports.filter(({ job }) => job === "cleartokens");
  assert.ok(!tokens[0]?.complete, "it was cut short");
  assert.equal(tokens[1]?.now, tokens[0]?.now, "a pass keeps the instant that it began with");
  await judge(ours, theirs, reports);
  assert.deepEqual(removedBy(reports), lost(earlier, await readServerDatabase(ours)));
});

test("SIGTERM ends it after the slice in hand, and the next run completes", async () => {
  const { ours, theirs, state } = await seeded(2000);
  const child = start(ours, state);
  // The third job has many slices, and is in hand as soon as the second one is told of.
  let lines = 0;
  child.stdout?.on("data", (text: string) => {
    lines += text.split("\n").length - 1;
    if (lines === 2) child.kill("SIGTERM");
  });
  const stopped = await finished(child);
  assert.deepEqual([stopped.status, stopped.stderr], [75, ""]);
  assert.deepEqual(
    stopped.reports.map(({ job, complete }) => [job, complete]),
    JOBS.slice(0, 3).map((job) => [job, job !== "cleartokens"]),
  );
  assert.deepEqual(
    await readdir(state),
    ["cleartokens.json"],
    "what has not begun has no place to go on from",
  );

  const rest = await run(ours, state);
  assert.deepEqual([rest.status, rest.stderr], [0, ""]);
  assert.equal(rest.reports[2]?.now, stopped.reports[2]?.now);
  await judge(ours, theirs, [...stopped.reports, ...rest.reports]);
  assert.deepEqual(await readdir(state), []);
});

test("leaves a job to another run that is at it, and does the others", async () => {
  const { ours, state } = await seeded();
  const pool = new Pool({ connectionString: ours });
  try {
    let meanwhile: Promise<Outcome> | undefined;
    await createJanitor({ store: pg(pool) }).run("cleartokens", {
      async onProgress() {
        meanwhile ??= run(ours, state);
        await meanwhile;
      },
    });
    const outcome = await meanwhile;
    assert.match(outcome?.stderr ?? "", /^\{"job":"cleartokens","error":\{"code":"store_leased",.*\}\}\n$/);
    assert.equal(outcome?.status, 75);
    assert.deepEqual(
      outcome?.reports.map(({ job }) => job),
      JOBS.filter((job) => job !== "cleartokens"),
    );
  } finally {
    await pool.end();
  }
});

test("a job that fails is told in one line, and does not keep the others from their work", async () => {
  const { ours, state } = await seeded(2000);
  const connection = await connect(ours);
  await connection.query(
    "CREATE TABLE newsletter (id integer PRIMARY KEY, author_id uuid REFERENCES people_user)",
  );
  await connection.end();
  // A failure goes before work that is left.
  const { status, stderr, reports } = await run(ours, state, BRIEF);
  assert.match(
    stderr,
    /^\{"job":"remove_stale_unverified_accounts","error":\{"code":"unknown_reference",.*\}\}\n$/,
  );
  assert.match(stderr, /newsletter\.author_id/);
  assert.equal(status, 1);
  assert.ok(reports.some(({ complete }) => !complete));
  assert.deepEqual(
    reports.map(({ job }) => job),
    JOBS.slice(1),
  );
});

test("a wrong address fails with one line", async () => {
  const url = engine.url("postgres");
  const wrong = {
    "nobody listens": url.replace(/:\d+\//, ":1/"),
    "another password": url.replace(":secret@", ":hunter2@"),
    "no such database": engine.url("nowhere"),
    "no address": "postgres://janitor:hunter2@host:port/idp",
    "another port of the name": "postgres://janitor:hunter2@localhost:1/idp",
    nothing: undefined,
  };
  for (const [title, address] of Object.entries(wrong)) {
    const { status, stderr, reports } = await run(address, project.folder);
    assert.match(stderr, /^\{"error":\{("code":"\w+",)?"message":".+"\}\}\n$/, title);
    assert.doesNotMatch(stderr, /hunter2/, title);
    if (address === undefined) assert.match(stderr, /DATABASE_URL is not set/);
    assert.deepEqual([status, reports], [1, []], title);
  }
});

test("a flag that it does not know is refused", async () => {
  const { status, stderr, reports } = await run(engine.url("postgres"), project.folder, ["--dryrun"]);
  assert.match(stderr, /^\{"error":.*--dryrun.*\}\n$/);
  assert.deepEqual([status, reports], [1, []]);
});
