/** A job as a workflow, in workerd: what it reports is true, whatever its steps fail of. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { D1Database, Workflow } from "@cloudflare/workers-types";
import type { SweepResult } from "idp-janitor/cloudflare";
import { loadIntoD1, readD1 } from "../support/d1.ts";
import { startDevServer } from "../support/dev-server.ts";
import { compareRows } from "../support/differences.ts";
import { countLost } from "../support/judge.ts";
import { copyDatabase, oracle, readDatabase, seededDatabase } from "../support/originals.ts";
import { COMPATIBILITY_DATE, startWorker } from "../support/worker.ts";
import type { Asked, Params } from "./workers/workflow.ts";

const NOW = "2026-11-23T10:20:30.123Z";
const MAIN = new URL("workers/workflow.ts", import.meta.url);
const BINDINGS = {
  d1_databases: [{ binding: "DB", database_name: "workflow", database_id: "workflow" }],
  workflows: [{ binding: "SWEEP", name: "sweep", class_name: "SweepWorkflow" }],
};

interface Status {
  readonly status: string;
  readonly output?: unknown;
  readonly error?: unknown;
}

/** Waits for an instance to end. */
async function ending(ask: () => Promise<Status>): Promise<Status> {
  for (let tries = 0; tries < 600; tries += 1) {
    const status = await ask();
    if (["complete", "errored", "terminated"].includes(status.status)) return status;
    await pause(50);
  }
  throw new Error("the workflow does not end");
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

test("reports the true count, though its step throws after a commit, twice", async () => {
  const seeded = await seededDatabase(1, NOW, 2000);
  const running = await startWorker(MAIN, BINDINGS);
  try {
    const { DB, SWEEP } = (await running.worker.getEnv()) as { DB: D1Database; SWEEP: Workflow };
    await loadIntoD1(seeded, DB);
    const id = "twice";
    const params: Params = { job: "cleartokens", now: NOW, failAfter: [1, 3], maxStatements: 26 };
    await SWEEP.create({ id, params });
    const instance = await SWEEP.get(id);
    const { status, output, error } = await ending(() => instance.status());
    assert.equal(status, "complete", JSON.stringify(error));
    const { removed, steps, now } = output as SweepResult;
    assert.deepEqual(removed, countLost(readDatabase(seeded), await readD1(DB)));
    assert.equal(now, NOW);
    assert.ok(steps > 2, `${steps} steps`);
    const theirs = copyDatabase(seeded);
    await oracle(["run", "--now", NOW, params.job], { database: theirs });
    compareRows({ name: "ours", rows: await readD1(DB) }, { name: "theirs", rows: readDatabase(theirs) });
    assert.equal(await DB.prepare("SELECT count(*) AS n FROM idp_janitor_ledger").first("n"), 0);
  } finally {
    await running.close();
  }
});

test("fails at once, and for good, where no retry helps", async () => {
  const running = await startWorker(MAIN, BINDINGS);
  try {
    const { SWEEP } = (await running.worker.getEnv()) as { SWEEP: Workflow };
    const params: Params = { job: "clearsessions", now: NOW, failAfter: [], maxStatements: 40 };
    await SWEEP.create({ id: "hopeless", params });
    const instance = await SWEEP.get("hopeless");
    const { status, error } = await ending(() => instance.status());
    assert.equal(status, "errored");
    assert.match(JSON.stringify(error), /JanitorError: the database does not have the schema/);
    // What is not known may have been meant to keep something, such as a dry run.
    await SWEEP.create({ id: "unknown", params: { ...params, strict: true } });
    const unknown = await SWEEP.get("unknown");
    const refused = await ending(() => unknown.status());
    assert.equal(refused.status, "errored");
    assert.match(JSON.stringify(refused.error), /failAfter/);
  } finally {
    await running.close();
  }
});

/** 1,500 sessions that are over, and one that is not. */
const SESSIONS = [
  "CREATE TABLE people (id INTEGER PRIMARY KEY)",
  "CREATE TABLE hidp_accounts_emailchangerequest (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES people (id))",
  "CREATE TABLE django_session (session_key TEXT PRIMARY KEY, expire_date DATETIME NOT NULL)",
  `INSERT INTO django_session WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1501)
    SELECT 's' || n, CASE n WHEN 700 THEN '2027' ELSE '2026' END || '-01-01 00:00:00' FROM numbers`,
];

test("does a job once that is killed in the middle of a step", async () => {
  const folder = mkdtempSync(join(tmpdir(), "idp-janitor-workflow-"));
  const config = {
    name: "workflow",
    main: fileURLToPath(MAIN),
    compatibility_date: COMPATIBILITY_DATE,
    ...BINDINGS,
  };
  let server = await startDevServer(folder, config);
  const ask = async <T>(asked: Asked): Promise<T> => {
    const response = await fetch(server.url, { method: "POST", body: JSON.stringify(asked) });
    return (await response.json()) as T;
  };
  const left = async () => (await ask<[[number]]>({ rows: "SELECT count(*) FROM django_session" }))[0][0];
  try {
    await ask({ run: SESSIONS });
    const params: Params = { job: "clearsessions", now: NOW, failAfter: [], hangAfter: 1, maxStatements: 20 };
    await ask({ create: { id: "killed", params } });
    while ((await left()) === 1501) await pause(50);
    // It has taken effect, and hangs.
    await pause(300);
    assert.equal(await left(), 1001);
    assert.equal((await ask<Status>({ status: "killed" })).status, "running");
    await server.kill();

    server = await startDevServer(folder, config);
    // A minute is over.
    await ask({ run: ["UPDATE idp_janitor_leases SET until = '2000'"] });
    // Cloudflare goes on by itself; the server has to be told, and begins anew.
    await ask({ again: "killed", how: "restart" });
    const { status, output, error } = await ending(() => ask<Status>({ status: "killed" }));
    assert.equal(status, "complete", JSON.stringify(error));
    assert.deepEqual((output as SweepResult).removed, { django_session: 1500 });
    assert.equal(await left(), 1);
  } finally {
    await server.kill();
    rmSync(folder, { recursive: true, force: true });
  }
});
