// For how long readers wait for somebody else's refresh, by a time that goes by where one of them waits, and nowhere else.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { memoryCache } from "idp-janitor/caches/memory";
import { Reader } from "../../pkg/keys/reader.js";
import { StoredKeySets } from "../../pkg/keys/stored.js";
import { keySet, testKey } from "../support/keys.ts";
import { ATTEMPT, CLIENT, COOLDOWN, ENTRY, refusal } from "./setup.ts";

const PROVIDER = { key: CLIENT, jwksUri: "https://login.example/jwks" };
const BEGINNING = Date.UTC(2026, 5, 1);
/** How long a refresh of somebody else is waited for. */
const PATIENCE_MS = 5000;
/** How often the cache is looked at meanwhile. */
const GLANCE_MS = 250;

/** The time of a test, in milliseconds from its beginning. */
class Time {
  #now = 0;
  readonly #pauses: { readonly end: number; readonly over: () => void }[] = [];

  elapsed = (): number => this.#now;

  pause = (ms: number): Promise<void> =>
    new Promise((over) => this.#pauses.push({ end: this.#now + ms, over }));

  /** Lets all time go by that work waits for. Nothing of it waits for anything else. */
  async during<T>(work: Promise<T>): Promise<T> {
    let isOver = false;
    const end = () => {
      isOver = true;
    };
    work.then(end, end);
    for (await setImmediate(); !isOver; await setImmediate()) {
      const next = this.#pauses.sort((one, other) => one.end - other.end).shift();
      assert.ok(next, "somebody waits for what does not come");
      this.#now = next.end;
      next.over();
    }
    return work;
  }
}

/** Readers of one cache, each as a process of its own has it. */
function readers(
  count: number,
  refresh: (cache: ReturnType<typeof memoryCache>, time: Time) => Promise<void>,
) {
  const time = new Time();
  const clock = () => BEGINNING + time.elapsed();
  const cache = memoryCache({ clock });
  const asked: number[] = [];
  const all = Array.from({ length: count }, () => {
    const stored = new StoredKeySets(cache, {});
    return new Reader({
      ...{ cache, stored, clock, waiting: time, cooldownSeconds: 60, onWarning: () => {} },
      async refresh({ key: client, jwksUri: uri = "" }) {
        asked.push(time.elapsed());
        await refresh(cache, time);
        return {
          client,
          uri,
          outcome: "refreshed",
          keys: [],
          added: [],
          removed: [],
          changed: [],
          warnings: [],
        };
      },
    });
  });
  return { all, cache, time, asked };
}

const nothing = async () => {};

/** Keys as the cache has them, confirmed at an instant. */
function entry(at: number): string {
  const [checkedAt, freshUntil] = [at, at + 300_000].map((instant) => new Date(instant).toISOString());
  const { jwksUri } = PROVIDER;
  const kept = JSON.stringify(keySet(testKey("rs256")));
  return JSON.stringify({
    ...{ version: 1, source: jwksUri, uri: jwksUri, keySet: kept },
    ...{ fetchedAt: checkedAt, checkedAt, freshUntil },
  });
}

describe("a refresh that somebody else has begun", () => {
  test("is waited for until its keys are there, and no longer than to the next look", async () => {
    const { all, time, asked } = readers(5, async (cache, time) => {
      await time.pause(700);
      await cache.put(ENTRY, entry(BEGINNING + time.elapsed()), { ttlSeconds: 3600 });
    });
    const found = await time.during(Promise.all(all.map((reader) => reader.keys(PROVIDER))));
    assert.equal(found.length, 5);
    assert.deepEqual(asked, [0]);
    assert.ok(time.elapsed() < 700 + GLANCE_MS, `${time.elapsed()} ms`);
  });

  test("is waited for until it has failed, and no longer than to the next look", async () => {
    const { all, time, asked } = readers(5, async (cache, time) => {
      await time.pause(700);
      const at = new Date(BEGINNING + time.elapsed()).toISOString();
      const attempt = { at, code: "provider_status", message: "status 404" };
      await cache.put(ATTEMPT, JSON.stringify(attempt), { ttlSeconds: 3600 });
    });
    const refusals = all.map((reader) => refusal(reader.keys(PROVIDER)));
    for (const { code, message } of await time.during(Promise.all(refusals))) {
      assert.deepEqual([code, /status 404/.test(message)], ["keys_unavailable", true]);
    }
    assert.deepEqual(asked, [0]);
    assert.ok(time.elapsed() < 700 + GLANCE_MS, `${time.elapsed()} ms`);
  });

  test("is given up after some seconds, for whoever began it may have died", async () => {
    const { all, cache, time, asked } = readers(3, nothing);
    await cache.put(COOLDOWN, new Date(BEGINNING).toISOString(), { ttlSeconds: 60 });
    const refusals = all.map((reader) => refusal(reader.keys(PROVIDER)));
    for (const { code } of await time.during(Promise.all(refusals))) assert.equal(code, "keys_unavailable");
    assert.deepEqual([asked, time.elapsed()], [[], PATIENCE_MS]);
  });

  test("is waited for by what is left of these seconds", async () => {
    const { all, cache, time } = readers(1, nothing);
    await cache.put(COOLDOWN, new Date(BEGINNING - 4000).toISOString(), { ttlSeconds: 60 });
    const refusals = all.map((reader) => refusal(reader.keys(PROVIDER)));
    await time.during(Promise.all(refusals));
    assert.equal(time.elapsed(), PATIENCE_MS - 4000);
  });

  test("by a clock that is an hour ahead, is not waited for by that clock", async () => {
    const { all, cache, time } = readers(1, nothing);
    await cache.put(COOLDOWN, new Date(BEGINNING + 3_600_000).toISOString(), { ttlSeconds: 60 });
    const refusals = all.map((reader) => refusal(reader.keys(PROVIDER)));
    for (const { code } of await time.during(Promise.all(refusals))) assert.equal(code, "keys_unavailable");
    assert.equal(time.elapsed(), PATIENCE_MS);
  });
});

describe("a cooldown for which nobody waits", () => {
  for (const [name, value] of [
    ["nonsense in it", "soon"],
    ["a time of long ago in it", "2020-01-01T00:00:00Z"],
  ] as const) {
    test(name, async () => {
      const { all, cache, time, asked } = readers(1, nothing);
      await cache.put(COOLDOWN, value, { ttlSeconds: 60 });
      const refusals = all.map((reader) => refusal(reader.keys(PROVIDER)));
      for (const { code } of await time.during(Promise.all(refusals))) assert.equal(code, "keys_unavailable");
      assert.deepEqual([asked, time.elapsed()], [[], 0]);
    });
  }

  test("keys that were fetched within it, and have no such id", async () => {
    const { all, cache, time, asked } = readers(1, nothing);
    await cache.put(COOLDOWN, new Date(BEGINNING).toISOString(), { ttlSeconds: 60 });
    await cache.put(ENTRY, entry(BEGINNING), { ttlSeconds: 3600 });
    const [found] = await time.during(Promise.all(all.map((reader) => reader.keys(PROVIDER, "unknown"))));
    assert.equal(found?.has("unknown"), false);
    assert.deepEqual([asked, time.elapsed()], [[], 0]);
  });
});
