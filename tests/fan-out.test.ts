/** Batches of messages keep to the statements of the plan, and a run says at its end what a person should look at. */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import "idp-janitor";
import type { SqlStore } from "idp-janitor";
import { nodeSqlite } from "idp-janitor/adapters/node-sqlite";
import {
  type FanOutMessage,
  type FanOutResult,
  type QueueBinding,
  type QueueOptions,
  queueHandler,
  startFanOut,
} from "idp-janitor/cloudflare";
import { countLost } from "./support/judge.ts";
import { NOW } from "./support/original-cases.ts";
import { readDatabase, seededDatabase } from "./support/originals.ts";

/** What one batch came to. */
interface Batch {
  readonly messages: number;
  readonly again: number;
  readonly statements: number;
}

/** A store, and how often statements were sent to it. */
function counted(store: SqlStore): { store: SqlStore; sent(): number } {
  let sent = 0;
  const query: SqlStore["query"] = (sql, params) => {
    sent += 1;
    return store.query(sql, params);
  };
  const batch: SqlStore["batch"] = (statements) => {
    sent += statements.length;
    return store.batch(statements);
  };
  return { store: { ...store, query, batch }, sent: () => sent };
}

/** A queue, and what is in it, as it would come. */
function inbox(): { queue: QueueBinding; waiting: FanOutMessage[] } {
  const waiting: FanOutMessage[] = [];
  return {
    waiting,
    queue: {
      sendBatch: async (messages) => {
        for (const { body } of messages) waiting.push(JSON.parse(JSON.stringify(body)) as FanOutMessage);
      },
    },
  };
}

test("batches of several messages keep to 50 statements", async () => {
  const path = await seededDatabase(1, NOW, 3000);
  using database = new DatabaseSync(path);
  const { store, sent } = counted(nodeSqlite(database));
  const { queue, waiting } = inbox();
  const results: FanOutResult[] = [];
  const handle = queueHandler(() => ({ store, queue, onEnd: (result) => void results.push(result) }));
  const job = "remove_stale_unverified_accounts";
  const before = readDatabase(path);
  const run = await startFanOut(job, { store, queue }, { now: new Date(NOW), parts: 30 });
  const batches: Batch[] = [];
  while (waiting.length > 0) {
    const bodies = waiting.splice(0, 3);
    const again: FanOutMessage[] = [];
    const earlier = sent();
    const messages = bodies.map((body) => ({
      body,
      ack: () => undefined,
      retry: (options?: { delaySeconds?: number }) => {
        assert.equal(options?.delaySeconds, 0);
        again.push(body);
      },
    }));
    await handle({ messages }, undefined);
    waiting.push(...again);
    batches.push({ messages: bodies.length, again: again.length, statements: sent() - earlier });
  }
  assert.deepEqual(
    batches.filter(({ statements }) => statements > 50),
    [],
  );
  assert.ok(batches.some(({ again }) => again > 0));
  const { idp_janitor_ledger: _, idp_janitor_parts: __, ...removed } = countLost(before, readDatabase(path));
  assert.equal(results.length, 1);
  assert.equal(results[0]?.run, run);
  assert.deepEqual(results[0]?.removed, removed);
});

test("what parts have warned of is told at the end, each sentence once, whatever comes twice", async () => {
  const path = await seededDatabase(2, NOW);
  using database = new DatabaseSync(path);
  database.exec("PRAGMA foreign_keys = OFF");
  const store = nodeSqlite(database);
  const { queue, waiting } = inbox();
  const results: FanOutResult[] = [];
  const handle = queueHandler(() => ({
    store,
    queue,
    plan: "paid",
    onEnd: (result) => void results.push(result),
  }));
  await startFanOut("cleartokens", { store, queue }, { now: new Date(NOW), parts: 3 });
  while (waiting.length > 0) {
    const messages = waiting.splice(0).map((body) => ({
      body,
      ack: () => undefined,
      retry: () => assert.fail("a message failed"),
    }));
    await handle({ messages: [...messages, ...messages] }, undefined);
  }
  const unenforced = (results[0]?.warnings ?? []).filter((text) =>
    text.includes("foreign keys are not enforced"),
  );
  assert.equal(unenforced.length, 1);
  assert.match(
    unenforced[0] ?? "",
    /^sweep 1, part 1; sweep 1, part 2; sweep 1, part 3; sweep 2, part 1; sweep 2, part 2; and \d+ more: foreign keys/,
  );
});

test("what was opened for a batch is closed, even where the options are wrong", async () => {
  const { queue } = inbox();
  using database = new DatabaseSync(":memory:");
  for (const wrong of [{ plan: "gold" }, { maxStatement: 10 }]) {
    let closed = 0;
    const close = async () => {
      closed += 1;
    };
    const handle = queueHandler(
      () => ({ store: nodeSqlite(database), queue, close, ...wrong }) as QueueOptions,
    );
    await assert.rejects(handle({ messages: [] }, undefined), { code: /^(invalid|unknown)_setting$/ });
    assert.equal(closed, 1);
  }
});

/** What is logged of a message that fails. */
async function failureOf(options: QueueOptions, body: FanOutMessage): Promise<Record<string, unknown>> {
  const lines: string[] = [];
  const { error: original } = console;
  console.error = (line: string) => void lines.push(line);
  try {
    const message = { body, ack: () => assert.fail("it went well"), retry: () => undefined };
    await queueHandler(() => options)({ messages: [message] }, undefined);
  } finally {
    console.error = original;
  }
  return JSON.parse(lines.join("")) as Record<string, unknown>;
}

test("a cut beyond the statements of the plan is refused by name", async () => {
  const path = await seededDatabase(3, NOW);
  using database = new DatabaseSync(path);
  const store = nodeSqlite(database);
  const { queue, waiting } = inbox();
  await startFanOut("clearsessions", { store, queue }, { now: new Date(NOW), parts: 1000 });
  const { run, ...told } = await failureOf({ store, queue }, waiting[0] as FanOutMessage);
  assert.match(String(run), /^fan-out:clearsessions:/);
  assert.deepEqual(told, {
    event: "idp-janitor",
    outcome: "failed",
    job: "clearsessions",
    step: 0,
    error: {
      code: "too_few_statements",
      message: "`maxStatements` must be 54 or more for a cut into 1000 parts, not 50",
    },
  });
});

test("a part with no statements left for its job is refused by a number that was given", async () => {
  const path = await seededDatabase(3, NOW);
  using database = new DatabaseSync(path);
  const store = nodeSqlite(database);
  const { queue, waiting } = inbox();
  await startFanOut("clearsessions", { store, queue }, { now: new Date(NOW), parts: 1 });
  const cut = { body: waiting.shift() as FanOutMessage, ack: () => undefined, retry: () => assert.fail() };
  await queueHandler(() => ({ store, queue }))({ messages: [cut] }, undefined);
  for (const maxStatements of [1, 4]) {
    const { error } = await failureOf({ store, queue, maxStatements }, waiting[0] as FanOutMessage);
    const message = `\`maxStatements\` is ${maxStatements}, and a part takes 4 besides those of its job`;
    assert.deepEqual(error, { code: "too_few_statements", message });
  }
});
