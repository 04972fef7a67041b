import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { KVNamespace } from "@cloudflare/workers-types";
import { kvCache } from "idp-janitor/caches/kv";
import { startWorker } from "../support/worker.ts";
import { testCases } from "./conformance.ts";

const HOUR = { ttlSeconds: 3600 };

const running = await startWorker(new URL("workers/kv.ts", import.meta.url), {
  kv_namespaces: [{ binding: "KEYS", id: "keys" }],
});
after(() => running.close());
/** The binding, reached from outside. */
const { KEYS } = (await running.worker.getEnv()) as { KEYS: KVNamespace };

await testCases("kv", running);

/** What has come of a call: its value, or how it failed. */
async function outcome(work: Promise<unknown>): Promise<unknown> {
  return work.catch((error: Error & { readonly code?: string }) => [error.code, error.message]);
}

test("kv keeps a time that is too short for KV, and has KV drop the rest later", async () => {
  const cache = kvCache(KEYS, { prefix: "times/" });
  const began = Math.floor(Date.now() / 1000);
  await cache.put("1", "value", { ttlSeconds: 1 });
  await cache.add("100", "value", { ttlSeconds: 100 });
  await cache.put("ever", "value", { ttlSeconds: Number.MAX_SAFE_INTEGER });
  const { keys } = await KEYS.list({ prefix: "times/" });
  const lasts = Object.fromEntries(
    keys.map(({ name, expiration }) => [name, expiration && expiration - began]),
  );
  assert.deepEqual(Object.keys(lasts).sort(), ["times/1", "times/100", "times/ever"]);
  const within = (found: number | undefined, least: number) =>
    assert.ok(found !== undefined && found >= least && found <= least + 5, `${found} s, not ${least} s`);
  within(lasts["times/1"], 60);
  within(lasts["times/100"], 100);
  assert.equal(lasts["times/ever"], undefined);
  assert.equal(await cache.get("1"), "value");
  await setTimeout(1100);
  assert.equal(await cache.get("1"), null);
  assert.notEqual(await KEYS.get("times/1"), null, "KV has it still");
  assert.equal(await cache.add("1", "again", HOUR), true);
  assert.equal(await cache.get("1"), "again");
});

test("kv tells keys apart that are too long for KV", async () => {
  const cache = kvCache(KEYS, { prefix: "long/" });
  const long = ["钥".repeat(200), `${"钥".repeat(199)}匙`, "🔑".repeat(100), "🔑".repeat(200)];
  for (const [at, key] of long.entries()) await cache.put(key, `value ${at}`, HOUR);
  for (const [at, key] of long.entries()) assert.equal(await cache.get(key), `value ${at}`);
  const { keys } = await KEYS.list({ prefix: "long/" });
  assert.equal(keys.length, long.length);
});

test("kv hands out nothing but what was put", async () => {
  const cache = kvCache(KEYS, { prefix: "odd/" });
  await cache.put("key", "value", HOUR);
  const entry = (await KEYS.get("odd/key")) ?? "";
  const NO_ENTRY = "what is there is no entry of a key cache";
  const odd: Record<string, [text: string, why: string]> = {
    foreign: ["value", NO_ENTRY],
    json: ['{"keys":[]}', NO_ENTRY],
    null: ["null", NO_ENTRY],
    number: [entry.replace('"value":"value"', '"value":5'), NO_ENTRY],
    "no deadline": [entry.replace(/"expires":\d+/, '"expires":null'), NO_ENTRY],
    truncated: [entry.slice(0, -2), NO_ENTRY],
    other: [entry, 'what is there is the entry of "odd/key"'],
  };
  for (const [key, [text, why]] of Object.entries(odd)) {
    await KEYS.put(`odd/${key}`, text);
    const message = `Workers KV could not be read at "odd/${key}": ${why}; nothing was changed`;
    assert.deepEqual(await outcome(cache.get(key)), ["cache_failed", message]);
    assert.deepEqual(await outcome(cache.add(key, "added", HOUR)), ["cache_failed", message]);
    assert.equal(await KEYS.get(`odd/${key}`), text);
    await cache.put(key, "put", HOUR);
    assert.equal(await cache.get(key), "put");
  }
});

test("kv tells what KV refuses: an empty key, and a value that is too long", async () => {
  const cache = kvCache(KEYS);
  await assert.rejects(cache.put("", "value", HOUR), {
    code: "cache_failed",
    message: /^Workers KV .* at "": /,
  });
  await assert.rejects(cache.put("big", "x".repeat(25 * 1024 * 1024), HOUR), {
    code: "cache_failed",
    message: /^Workers KV could not be written at "big": .*413 .*; it is unknown whether the value was set$/,
  });
  assert.equal(await cache.get("big"), null);
});

/** A namespace in memory that answers a write as KV does if there was one of the key within the second. */
function hurried(messages: readonly string[], meanwhile?: (held: Map<string, string>) => void) {
  const held = new Map<string, string>();
  const refusals = [...messages];
  return {
    held,
    get: async (key: string) => held.get(key) ?? null,
    put: async (key: string, text: string) => {
      const message = refusals.shift();
      if (message === undefined) return void held.set(key, text);
      meanwhile?.(held);
      throw new Error(message);
    },
  };
}

const REFUSALS = ["KV PUT failed: 429 Too Many Requests", "KV put() limit exceeded for the day."];

test("kv says that there were too many writes, and that nothing was changed", async () => {
  for (const refusal of REFUSALS) {
    const namespace = hurried([refusal, refusal]);
    const cache = kvCache(namespace);
    const message =
      `Workers KV could not be written at "key": ${refusal}; ` +
      "KV takes one write a second of a key, and of a free account so many a day; nothing was changed";
    assert.deepEqual(await outcome(cache.put("key", "put", HOUR)), ["cache_failed", message]);
    assert.deepEqual(await outcome(cache.add("key", "added", HOUR)), ["cache_failed", message]);
    assert.equal(namespace.held.size, 0);
    assert.equal(await cache.add("key", "added", HOUR), true);
  }
});

test("kv does not add where somebody else was first within the second", async () => {
  const other = hurried([]);
  await kvCache(other).add("key", "theirs", HOUR);
  const namespace = hurried([REFUSALS[0] ?? ""], (held) => {
    for (const [key, text] of other.held) held.set(key, text);
  });
  const cache = kvCache(namespace);
  assert.equal(await cache.add("key", "ours", HOUR), false);
  assert.equal(await cache.get("key"), "theirs");
});

test("kv has KV keep a value no shorter than its time, whenever in a second KV begins to count", async () => {
  const told: unknown[] = [];
  const cache = kvCache({
    get: async () => null,
    put: async (_key, _text, keep) => void told.push(keep),
  });
  for (const ttlSeconds of [1, 59, 60, 100]) await cache.put("key", "value", { ttlSeconds });
  await cache.add("key", "value", HOUR);
  assert.deepEqual(
    told,
    [60, 60, 61, 101, 3601].map((expirationTtl) => ({ expirationTtl })),
  );
});

test("kv passes `cacheTtl` on, and refuses settings that KV would", async () => {
  const asked: unknown[] = [];
  const namespace = {
    get: async (...args: unknown[]) => {
      asked.push(args);
      return null;
    },
    put: async () => undefined,
  };
  await kvCache(namespace, { cacheTtl: 30, prefix: "p/" }).get("key");
  await kvCache(namespace).get("key");
  assert.deepEqual(asked, [
    ["p/key", { type: "text", cacheTtl: 30 }],
    ["key", { type: "text" }],
  ]);
  for (const options of [
    { cacheTtl: 29 },
    { cacheTtl: 60.5 },
    { cacheTtl: Number.NaN },
    { prefix: "é".repeat(129) },
  ]) {
    assert.throws(() => kvCache(namespace, options), { code: "invalid_setting" });
  }
  kvCache(namespace, { prefix: "é".repeat(128) });
});
