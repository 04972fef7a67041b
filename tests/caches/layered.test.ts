import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { JanitorError, type KeyCache } from "idp-janitor";
import { layeredCache } from "idp-janitor/caches/layered";
import { memoryCache } from "idp-janitor/caches/memory";
import { keyCacheCases } from "idp-janitor/testing";

const HOUR = { ttlSeconds: 3600 };

/** A cache that is away. */
function away(words = "the cache is away"): KeyCache {
  const fail = () => Promise.reject(new JanitorError("cache_failed", words));
  return { get: fail, put: fail, add: fail };
}

/** A cache that keeps nothing, as the Cache API does where it is not to be had. */
const NOWHERE: KeyCache = { get: async () => null, put: async () => undefined, add: async () => true };

/** A cache by a clock that is moved, and what is asked of it. */
function watched(clock: () => number) {
  const cache = memoryCache({ clock });
  const calls: string[] = [];
  const kept: number[] = [];
  const note = (call: string, seconds?: number) => {
    calls.push(call);
    if (seconds !== undefined) kept.push(seconds);
  };
  return {
    calls,
    kept,
    entries: cache.entries,
    get: (key: string) => {
      note(`get ${key}`);
      return cache.get(key);
    },
    put: (...[key, value, keep]: Parameters<KeyCache["put"]>) => {
      note(`put ${key}`, keep.ttlSeconds);
      return cache.put(key, value, keep);
    },
    add: (...[key, value, keep]: Parameters<KeyCache["add"]>) => {
      note(`add ${key}`, keep.ttlSeconds);
      return cache.add(key, value, keep);
    },
  };
}

/** Two caches, and the one of both. */
function layers(nearSeconds?: number) {
  let now = Date.UTC(2026, 5, 1);
  const [near, far] = [watched(() => now), watched(() => now)];
  const warnings: string[] = [];
  const options = { onWarning: (one: string) => void warnings.push(one) };
  const cache = layeredCache(near, far, nearSeconds === undefined ? options : { ...options, nearSeconds });
  const elapse = (seconds: number) => {
    now += seconds * 1000;
  };
  return { cache, near, far, warnings, elapse };
}

const NEARS: Record<string, (clock: () => number) => KeyCache> = {
  memory: (clock) => memoryCache({ clock }),
  "a cache that keeps nothing": () => NOWHERE,
  "a cache that fails": () => away(),
};

for (const [label, nearer] of Object.entries(NEARS)) {
  const harness = {
    async open() {
      let now = Date.UTC(2026, 5, 1);
      const clock = () => now;
      const far = memoryCache({ clock });
      const onWarning = () => {};
      return {
        cache: layeredCache(nearer(clock), far, { onWarning }),
        peer: layeredCache(nearer(clock), far, { onWarning }),
        read: async (key: string) => far.entries().get(key) ?? null,
        elapse: async (seconds: number) => {
          now += seconds * 1000;
        },
        close: async () => undefined,
      };
    },
  };
  for (const { name, run } of keyCacheCases(harness)) test(`layered, near ${label} ${name}`, run);
}

test("layered asks the farther cache once in `nearSeconds`", async () => {
  const { cache, near, far, elapse } = layers(10);
  await far.put("key", "old", HOUR);
  assert.deepEqual([await cache.get("key"), await cache.get("key")], ["old", "old"]);
  await far.put("key", "new", HOUR);
  elapse(9.9);
  assert.equal(await cache.get("key"), "old");
  assert.deepEqual(far.calls, ["put key", "get key", "put key"]);
  assert.deepEqual(near.kept, [10]);
  elapse(0.2);
  assert.equal(await cache.get("key"), "new");
});

test("layered keeps near for a minute unless told, and for no longer than the value is to last", async () => {
  const { cache, near, far, warnings } = layers();
  await cache.put("long", "value", HOUR);
  await cache.put("short", "value", { ttlSeconds: 5 });
  await cache.add("added", "value", HOUR);
  await cache.add("briefly", "value", { ttlSeconds: 59 });
  assert.deepEqual(near.kept, [60, 5, 60, 59]);
  assert.deepEqual(far.kept, [3600, 5, 3600, 59]);
  assert.deepEqual(warnings, []);
});

test("layered does not keep that there is nothing", async () => {
  const { cache, near, far } = layers();
  assert.equal(await cache.get("key"), null);
  await far.put("key", "value", HOUR);
  assert.equal(await cache.get("key"), "value");
  assert.equal(near.entries().get("key"), "value");
});

test("layered sets far first, and near only what the farther cache has taken", async () => {
  const { near } = layers();
  const cache = layeredCache(near, away());
  await assert.rejects(cache.put("key", "value", HOUR), {
    code: "cache_failed",
    message: "the cache is away",
  });
  await assert.rejects(cache.add("key", "value", HOUR), { code: "cache_failed" });
  assert.deepEqual(near.calls, []);
  await assert.rejects(cache.get("key"), { code: "cache_failed" });
  await near.put("key", "near", HOUR);
  assert.equal(await cache.get("key"), "near");
});

test("layered adds where the farther cache has nothing, whatever the nearer has", async () => {
  const { cache, near, far } = layers();
  await near.put("key", "left over", HOUR);
  assert.equal(await cache.add("key", "added", HOUR), true);
  assert.equal(await cache.get("key"), "added");
  await far.put("other", "theirs", HOUR);
  assert.equal(await cache.add("other", "ours", HOUR), false);
  assert.equal(near.entries().has("other"), false);
  assert.equal(await cache.get("other"), "theirs");
});

test("layered replaces no newer value near by one that it read before", async () => {
  const { near, far } = layers();
  await far.put("key", "old", HOUR);
  const slow = {
    ...far,
    get: async (key: string) => {
      const value = await far.get(key);
      await layeredCache(near, far).put(key, "new", HOUR);
      return value;
    },
  };
  assert.equal(await layeredCache(near, slow).get("key"), "old");
  assert.equal(await layeredCache(near, slow).get("key"), "new");
});

test("layered passes over a nearer cache that fails, and says so", async () => {
  const { far } = layers();
  const warnings: string[] = [];
  const cache = layeredCache(away("out of reach"), far, { onWarning: (one) => void warnings.push(one) });
  await cache.put("key", "value", HOUR);
  assert.equal(await cache.get("key"), "value");
  assert.equal(await cache.add("key", "other", HOUR), false);
  assert.equal(await cache.add("added", "value", HOUR), true);
  // One of `put`, two of `get`, which reads and fills, and one of the `add` that did.
  assert.deepEqual(warnings, Array(4).fill("the nearer cache of keys is passed over: out of reach"));
});

test("layered fails for no nearer cache, and for nobody who is told", async () => {
  const { far } = layers();
  const thrower = () => {
    throw new Error("thrown at once");
  };
  const near = { get: thrower, put: thrower, add: thrower };
  const cache = layeredCache(near, far, { onWarning: thrower });
  await cache.put("key", "value", HOUR);
  assert.equal(await cache.get("key"), "value");

  const warn = mock.method(console, "warn", () => {});
  await layeredCache(away("out of reach"), far).get("none");
  warn.mock.restore();
  assert.deepEqual(
    warn.mock.calls.map((call) => call.arguments),
    [["idp-janitor: the nearer cache of keys is passed over: out of reach"]],
  );
});

test("layered publishes where the farther cache does", async () => {
  const { near, far } = layers();
  assert.equal(layeredCache(near, far).publish, undefined);
  assert.equal(layeredCache({ ...near, publish: async () => undefined }, far).publish, undefined);
  const published: unknown[] = [];
  const publisher = {
    ...far,
    name: "django",
    async publish(...args: unknown[]) {
      published.push([this.name, ...args]);
    },
  };
  await layeredCache(near, publisher).publish?.("acme", '{"keys":[]}', HOUR);
  assert.deepEqual(published, [["django", "acme", '{"keys":[]}', HOUR]]);
});

test("layered refuses times near that are none, or no short ones", () => {
  const { near, far } = layers();
  for (const nearSeconds of [0, -1, 1.5, Number.NaN, 3601, Number.POSITIVE_INFINITY]) {
    assert.throws(() => layeredCache(near, far, { nearSeconds }), { code: "invalid_setting" });
  }
  for (const nearSeconds of [1, 3600]) layeredCache(near, far, { nearSeconds });
});
