/** What a tick does with jobs that fail, wait, or are too much for it; on D1, in workerd. */

import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, beforeEach, test } from "node:test";
import type { D1Database } from "@cloudflare/workers-types";
import { createJanitor } from "idp-janitor";
import { d1 } from "idp-janitor/adapters/d1";
import { keySet, testKey } from "../support/keys.ts";
import { startWorker } from "../support/worker.ts";
import type { Tick, Ticked } from "./workers/scheduled.ts";

const NOW = "2026-11-23T03:00:00Z";
const CRON = "0 3 * * *";

const running = await startWorker(new URL("workers/scheduled.ts", import.meta.url), {
  d1_databases: [{ binding: "DB", database_name: "scheduled", database_id: "scheduled" }],
});
after(() => running.close());
const { DB } = (await running.worker.getEnv()) as { DB: D1Database };

const TABLES = [
  "idp_janitor_passes",
  "idp_janitor_leases",
  "notes",
  "django_session",
  "hidp_accounts_emailchangerequest",
  "people",
];

/** Ten sessions and ten change requests, of which nine are over. */
beforeEach(async () => {
  const run = async (...sql: string[]) => void (await DB.batch(sql.map((text) => DB.prepare(text))));
  await run(...TABLES.map((table) => `DROP TABLE IF EXISTS ${table}`));
  await run(
    "CREATE TABLE django_session (session_key TEXT PRIMARY KEY, expire_date DATETIME NOT NULL)",
    "CREATE TABLE people (id INTEGER PRIMARY KEY)",
    `CREATE TABLE hidp_accounts_emailchangerequest (id INTEGER PRIMARY KEY, confirmed_by_proposed_email BOOL NOT NULL,
      confirmed_by_current_email BOOL NOT NULL, created_at DATETIME NOT NULL, user_id INTEGER REFERENCES people (id))`,
  );
  for (let at = 0; at < 10; at += 1) {
    const instant = at === 9 ? "2026-12-01 00:00:00" : "2026-01-01 00:00:00";
    await run(
      `INSERT INTO django_session VALUES ('s${at}', '${instant}')`,
      `INSERT INTO people VALUES (${at})`,
      `INSERT INTO hidp_accounts_emailchangerequest VALUES (${at}, 0, 0, '${instant}', ${at})`,
    );
  }
});

const SESSIONS = "clearsessions";
const REQUESTS = "remove_complete_and_stale_email_change_requests";

async function tick(asked: Partial<Tick> = {}): Promise<Ticked> {
  const options = { crons: { [CRON]: [SESSIONS] }, ...asked.options };
  const body = JSON.stringify({ cron: CRON, now: NOW, ...asked, options });
  return (await (await running.worker.fetch("/", { method: "POST", body })).json()) as Ticked;
}

const outcomes = ({ entries }: Ticked) => entries.map(({ job, outcome }) => `${job}: ${outcome}`);

async function count(table: string): Promise<number> {
  const row = await DB.prepare(`SELECT count(*) AS n FROM ${table}`).first<{ n: number }>();
  return row?.n ?? -1;
}

test("tells of each job what it did, and rests until the next pass is due", async () => {
  const crons = { [CRON]: [REQUESTS, SESSIONS] } as const;
  const first = await tick({ options: { crons } });
  assert.equal(first.error, undefined);
  assert.equal(first.closed, true);
  assert.deepEqual(
    first.entries.map(({ statements: _, ...entry }) => entry),
    [
      {
        event: "idp-janitor",
        job: REQUESTS,
        cron: CRON,
        outcome: "complete",
        removed: { hidp_accounts_emailchangerequest: 9 },
        dryRun: false,
      },
      {
        event: "idp-janitor",
        job: SESSIONS,
        cron: CRON,
        outcome: "complete",
        removed: { django_session: 9 },
        dryRun: false,
      },
    ],
  );
  assert.deepEqual(outcomes(await tick({ options: { crons }, now: "2026-11-23T14:59:00Z" })), []);
  const due = await tick({ options: { crons }, now: "2026-11-23T15:00:00Z" });
  assert.deepEqual(outcomes(due), [`${REQUESTS}: complete`, `${SESSIONS}: complete`]);
});

test("rests from the end of a pass, so that one which takes longer than a rest keeps no other job waiting", async () => {
  await tick({ options: { crons: { [CRON]: [SESSIONS] } } });
  await DB.prepare("UPDATE idp_janitor_passes SET began = '2026-11-01T00:00:00Z'").run();
  assert.deepEqual(outcomes(await tick({ now: "2026-11-23T03:10:00Z" })), []);
});

test("changes nothing in a dry run, and makes no table", async () => {
  const dry = await tick({ options: { crons: { [CRON]: [SESSIONS] }, dryRun: true } });
  assert.deepEqual(
    dry.entries.map(({ removed, dryRun }) => ({ removed, dryRun })),
    [{ removed: { django_session: 9 }, dryRun: true }],
  );
  assert.equal(await count("django_session"), 10);
  assert.equal(await count("sqlite_master WHERE name LIKE 'idp_janitor%'"), 0);
});

test("refuses a cron expression that it has no jobs for", async () => {
  const { error, entries } = await tick({ cron: "0 4 * * *" });
  assert.equal(error?.code, "invalid_setting");
  assert.match(error?.message ?? "", /no jobs for "0 4 \* \* \*".*it has "0 3 \* \* \*"/);
  assert.deepEqual(entries, []);
  assert.equal(
    (await tick({ options: { crons: {}, dryrun: true } as never })).error?.code,
    "unknown_setting",
  );
});

test("refuses a plan that does not exist", async () => {
  const { error } = await tick({ options: { crons: { [CRON]: [SESSIONS] }, plan: "pro" as never } });
  assert.equal(error?.code, "invalid_setting");
  assert.match(error?.message ?? "", /`plan` must be "free" or "paid", not "pro"/);
});

test("leaves a job to whoever has it", async () => {
  await tick({ options: { crons: { [CRON]: [REQUESTS] } } });
  await DB.prepare(
    "INSERT INTO idp_janitor_leases VALUES ('clearsessions', 'somebody', 1, strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+30 seconds'))",
  ).run();
  const { error, entries } = await tick();
  assert.equal(error, undefined);
  assert.deepEqual(
    entries.map(({ outcome, error: why }) => [outcome, why?.code]),
    [["leased", "store_leased"]],
  );
  assert.match(entries[0]?.error?.message ?? "", /somebody/);
  assert.equal(await count("django_session"), 10);
});

test("fails in the end for a job that fails, and does the others before", async () => {
  await DB.prepare(
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, request_id REFERENCES hidp_accounts_emailchangerequest (id))",
  ).run();
  const failed = await tick({ options: { crons: { [CRON]: [REQUESTS, SESSIONS] } } });
  assert.deepEqual(outcomes(failed), [`${REQUESTS}: failed`, `${SESSIONS}: complete`]);
  assert.equal(failed.error?.code, "unknown_reference");
  assert.equal(failed.closed, true);
});

test("fails where not even one slice fits into the tick, and waits where another job has left too little", async () => {
  const short = await tick({ options: { crons: { [CRON]: [SESSIONS] }, maxStatements: 10 } });
  assert.equal(short.error?.code, "too_few_statements");
  // To look for the passes, to make their table, to look again, and to keep where it ends.
  assert.match(short.error?.message ?? "", /, not 6; 4 that its host sends come on top of both numbers$/);
  const crons = { [CRON]: [REQUESTS, SESSIONS] } as const;
  const first = await tick({ options: { crons, maxStatements: 20 } });
  assert.deepEqual([outcomes(first), first.error], [[`${REQUESTS}: complete`], undefined]);
  assert.deepEqual(outcomes(await tick({ options: { crons, maxStatements: 20 } })), [
    `${SESSIONS}: complete`,
  ]);
});

test("stops where the rows of the day are used up, and goes on", async () => {
  // Making the table of passes is the first batch, and the lease, for which there is no table yet, the second and the third.
  const over = await tick({ batchesToday: 3 });
  assert.deepEqual([outcomes(over), over.error], [[`${SESSIONS}: quota`], undefined]);
  assert.match(over.entries[0]?.error?.message ?? "", /used up until 00:00 UTC/);
  assert.equal(await count("django_session"), 10);
  await DB.prepare("DELETE FROM idp_janitor_leases").run();
  assert.deepEqual(outcomes(await tick()), [`${SESSIONS}: complete`]);
});

/** A pass of sessions of which one row is gone, and whose table has been migrated since. */
async function outdate(): Promise<void> {
  await tick({ options: { crons: { [CRON]: [REQUESTS] } } });
  const run = { now: NOW, maxRows: 1, sliceMs: 1 };
  const { checkpoint } = await createJanitor({ store: d1(DB) }).run(SESSIONS, run);
  assert.ok(checkpoint?.schema);
  await DB.prepare("INSERT INTO idp_janitor_passes (job, began, checkpoint) VALUES (?, ?, ?)")
    .bind(SESSIONS, NOW, JSON.stringify(checkpoint))
    .run();
  await DB.prepare("ALTER TABLE django_session ADD COLUMN session_data TEXT").run();
}

test("begins a pass anew whose tables have been migrated since", async () => {
  await outdate();
  const { entries, error } = await tick();
  assert.deepEqual(
    [entries.map(({ outcome, removed }) => [outcome, removed]), error],
    [[["complete", { django_session: 8 }]], undefined],
  );
});

test("begins it in the next tick where finding that out has left too little", async () => {
  await outdate();
  const short = { options: { crons: { [CRON]: [SESSIONS] }, maxStatements: 18 } } as const;
  assert.equal((await tick(short)).error?.code, "too_few_statements");
  assert.deepEqual(outcomes(await tick(short)), [`${SESSIONS}: complete`]);
});

test("waits for the next tick where finding that out has left nothing", async () => {
  await outdate();
  // To look for the pass, to read the schema, and to note that the pass begins anew; one is for keeping where it ends.
  const short = { options: { crons: { [CRON]: [SESSIONS] }, maxStatements: 7 } } as const;
  const { error } = await tick(short);
  assert.equal(error?.code, "too_few_statements");
  assert.match(error?.message ?? "", /is 7, and nothing of it is left for clearsessions in this turn$/);
});

const REFRESH = "refresh_oidc_clients_jwks";
const GOOD = { status: 200, body: JSON.stringify(keySet(testKey("es256"))) };

test("refreshes keys, and tells what each provider that failed did", async () => {
  const crons = { [CRON]: [REFRESH, SESSIONS] } as const;
  const all = await tick({ options: { crons }, providers: { "https://a.example/jwks": GOOD } });
  assert.deepEqual(
    [outcomes(all), all.error],
    [[`${REFRESH}: complete`, `${SESSIONS}: complete`], undefined],
  );
  assert.deepEqual(all.entries[0], {
    ...{ event: "idp-janitor", job: REFRESH, cron: CRON, outcome: "complete" },
    clients: [{ client: "client-0", outcome: "refreshed" }],
  });
  const providers = {
    "https://a.example/jwks": GOOD,
    "https://b.example/jwks": { status: 200, body: JSON.stringify({ keys: [] }) },
    "https://c.example/jwks": { status: 404, body: "" },
  };
  const some = await tick({ options: { crons }, now: "2026-11-24T03:00:00Z", providers });
  assert.deepEqual(outcomes(some), [`${REFRESH}: failed`, `${SESSIONS}: complete`]);
  const [entry] = some.entries;
  assert.deepEqual(
    entry?.clients?.map(({ client, outcome, error }) => [client, outcome, error?.code]),
    [
      ["client-0", "refreshed", undefined],
      ["client-1", "failed", "key_set_empty"],
      ["client-2", "failed", "provider_status"],
    ],
  );
  const message = "client-1: the key set is empty; the refresh of client-2 failed, too";
  assert.deepEqual([some.error, entry?.error], Array(2).fill({ code: "key_set_empty", message }));
  assert.equal(
    (await tick({ options: { crons }, now: "2026-11-25T03:00:00Z" })).error?.code,
    "invalid_setting",
  );
});

test("tells of a cache that takes no keys by its own code", async () => {
  const options = { crons: { [CRON]: [REFRESH] } } as const;
  const { error, entries } = await tick({
    ...{ options, cacheFails: true },
    providers: { "https://a.example/jwks": GOOD },
  });
  assert.equal(error?.code, "cache_failed");
  assert.match(error?.message ?? "", /^client-0: .*the cache is full/);
  assert.deepEqual(entries[0]?.error, error);
});

test("warns of a secret that a provider publishes, although the refresh went well", async () => {
  const options = { crons: { [CRON]: [REFRESH] } } as const;
  const leaked = JSON.stringify({ keys: [testKey("rs256").publicJwk, testKey("es256").privateJwk] });
  const providers = {
    "https://a.example/jwks": GOOD,
    "https://b.example/jwks": { status: 200, body: leaked },
  };
  const { error, entries } = await tick({ options, providers });
  assert.deepEqual([error, entries[0]?.outcome, entries[0]?.warnings?.length], [undefined, "complete", 1]);
  assert.match(entries[0]?.warnings?.[0] ?? "", /^client-1: SECRET PUBLISHED: the key `es256`/);
});

test("tells a dead man's switch of success and of failure, and does not depend on it", async () => {
  const told: string[] = [];
  const bodies: unknown[] = [];
  const server = createServer(async (request, response) => {
    told.push(`${request.method} ${request.url}`);
    bodies.push(JSON.parse(Buffer.concat(await request.toArray()).toString()));
    response.writeHead(request.url?.startsWith("/broken") ? 500 : 200).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    await tick({ options: { crons: { [CRON]: [SESSIONS] }, heartbeat: `${url}/check` } });
    await tick({ cron: "unknown", options: { crons: {}, heartbeat: `${url}/check` } });
    await tick({
      options: { crons: { [CRON]: [] }, heartbeat: { success: `${url}/good`, failure: `${url}/bad` } },
    });
    assert.deepEqual(told, ["POST /check", "POST /check/fail", "POST /good"]);
    const message = '`crons` has no jobs for "unknown", which the Worker\'s configuration has; it has';
    assert.deepEqual(bodies[1], { code: "invalid_setting", message });
    assert.equal(
      (await tick({ options: { crons: { [CRON]: [] }, heartbeat: `${url}/broken` } })).error,
      undefined,
    );
  } finally {
    server.close();
  }
  assert.equal((await tick({ options: { crons: { [CRON]: [] }, heartbeat: url } })).error, undefined);
  assert.ok(running.takeLogs().some((line) => line.includes("the heartbeat could not be told")));
});

test("fails where what was opened for the tick could not be closed", async () => {
  assert.match((await tick({ closeFails: true })).error?.message ?? "", /could not be closed/);
});
