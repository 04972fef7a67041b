import type { KeyCache } from "../key-cache.ts";
import { type ConformanceCase, rejects, same } from "./check.ts";
import { AT_ONCE, KEYS, VALUES } from "./key-cache-texts.ts";

/** A cache under test, with a reader of its own beside it: a cache is never its own witness. */
export interface OpenedKeyCache {
  readonly cache: KeyCache;
  /** Another cache on the same place, over a connection of its own where there are connections. */
  readonly peer: KeyCache;
  /** The text that the place holds for a key, read without the cache; null for none. What is over may still be there. */
  read(key: string): Promise<string | null>;
  /** Of caches that another product reads: the text that is there for a provider, read without the cache. */
  readPublished?(provider: string): Promise<string | null>;
  /** Lets time pass for the cache: a clock that was passed in moves, or real time goes by. */
  elapse(seconds: number): Promise<void>;
  /** Makes every later call on the driver of `cache` fail. */
  breakDriver?(): Promise<void>;
  close(): Promise<void>;
}

/** How the suite gets a cache. */
export interface KeyCacheHarness {
  /** Opens a cache on a fresh, empty place. */
  open(): Promise<OpenedKeyCache>;
  /**
   * False of a cache on a place that has no atomic step: of those who add at once several may be told that they did, and
   * the suite asks for what holds even so. Default true.
   */
  readonly addIsAtomic?: boolean;
}

const HOUR = { ttlSeconds: 3600 };

/** What every {@link KeyCache} must do. */
export function keyCacheCases(harness: KeyCacheHarness): readonly ConformanceCase[] {
  const of = (name: string, body: (opened: OpenedKeyCache) => Promise<void>): ConformanceCase => ({
    name,
    async run() {
      const opened = await harness.open();
      try {
        await body(opened);
      } finally {
        await opened.close();
      }
    },
  });

  const { addIsAtomic = true } = harness;
  const oneOf = addIsAtomic ? "one of" : "at least one of";

  /** Adds by both caches at once: one wins, or, where that cannot be had, some do; a winner's value stays, and is it. */
  const addAtOnce = async ({ cache, peer, read }: OpenedKeyCache, key: string): Promise<void> => {
    const caches = Array.from({ length: AT_ONCE }, (_, at) => (at % 2 ? cache : peer));
    const won = await Promise.all(caches.map((one, at) => one.add(key, `new ${at}`, HOUR)));
    const winners = won.flatMap((one, at) => (one ? [`new ${at}`] : []));
    same(addIsAtomic ? winners.length === 1 : winners.length > 0, true, `that ${winners.length} won`);
    const held = await read(key);
    same(winners.includes(held ?? ""), true, `that the place holds ${held} of ${winners.join()}`);
    same([await cache.get(key), await peer.get(key)], [held, held], "value");
    same([await cache.add(key, "late", HOUR), await peer.add(key, "late", HOUR)], [false, false], "later");
    same(await read(key), held, "what the place holds later");
  };

  return [
    of("gives null where there is nothing", async ({ cache }) => {
      same(await cache.get("key"), null, "value");
    }),
    of("sets a value, which another cache on the same place sees", async ({ cache, peer, read }) => {
      await cache.put("key", "value", HOUR);
      same([await cache.get("key"), await peer.get("key")], ["value", "value"], "value");
      same(await read("key"), "value", "what the place holds");
    }),
    of("sets a value over another", async ({ cache, read }) => {
      await cache.put("key", "a long value, of which nothing stays", HOUR);
      await cache.put("key", "short", HOUR);
      same([await cache.get("key"), await read("key")], ["short", "short"], "value");
    }),
    of("keeps values as they are", async ({ cache, read }) => {
      for (const [at, value] of VALUES.entries()) {
        await cache.put("put", value, HOUR);
        await cache.add(`add ${at}`, value, HOUR);
        const found = [await cache.get("put"), await cache.get(`add ${at}`), await read("put")];
        unchanged(found, value);
      }
    }),
    of("keeps keys apart", async ({ cache, read }) => {
      await Promise.all(KEYS.map((key, at) => cache.put(key, `value ${at}`, HOUR)));
      for (const [at, key] of KEYS.entries()) {
        same([await cache.get(key), await read(key)], [`value ${at}`, `value ${at}`], `value of ${key}`);
      }
    }),
    of("adds where there is nothing, and nowhere else", async ({ cache, peer, read }) => {
      same(await cache.add("key", "first", HOUR), true, "first");
      same(
        [await cache.add("key", "second", HOUR), await peer.add("key", "third", HOUR)],
        [false, false],
        "later",
      );
      same([await cache.get("key"), await read("key")], ["first", "first"], "value");
      await cache.put("other", "put", HOUR);
      same(await cache.add("other", "added", HOUR), false, "where one was put");
      same(await read("other"), "put", "what was put");
    }),
    of(`lets ${oneOf} ${AT_ONCE} win who add at once`, (opened) => addAtOnce(opened, "key")),
    of("ends a value when its time is over, and not before", async ({ cache, elapse }) => {
      const short = { ttlSeconds: 3 };
      await cache.put("put", "put", short);
      await cache.add("added", "added", short);
      await cache.put("shortened", "long", HOUR);
      await cache.put("shortened", "short", short);
      await cache.put("prolonged", "short", short);
      await cache.put("prolonged", "long", HOUR);
      // What is not added does not prolong what is there.
      await cache.add("put", "refused", HOUR);
      const keys = ["put", "added", "shortened", "prolonged"];
      const values = () => Promise.all(keys.map((key) => cache.get(key)));
      await elapse(1.5);
      same(await values(), ["put", "added", "short", "long"], "before");
      await elapse(3);
      same(await values(), [null, null, null, "long"], "after");
    }),
    of(`sets again what is over, ${oneOf} many who add at once`, async (opened) => {
      const { cache, elapse } = opened;
      await cache.add("added", "old", { ttlSeconds: 1 });
      await cache.put("put", "old", { ttlSeconds: 1 });
      await elapse(2.5);
      await addAtOnce(opened, "added");
      await cache.put("put", "new", HOUR);
      same(await cache.get("put"), "new", "put");
    }),
    of("refuses times that are none, and changes nothing", async ({ cache, read }) => {
      await cache.put("there", "old", HOUR);
      for (const ttlSeconds of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
        const work = [cache.put("there", "new", { ttlSeconds }), cache.add("none", "new", { ttlSeconds })];
        if (cache.publish) work.push(cache.publish("there", "new", { ttlSeconds }));
        for (const one of work) await rejects(one, ["invalid_setting"], `${ttlSeconds} seconds`);
      }
      same([await read("there"), await read("none")], ["old", null], "what the place holds");
    }),
    of("takes a time that never ends", async ({ cache }) => {
      await cache.put("key", "value", { ttlSeconds: Number.MAX_SAFE_INTEGER });
      same(await cache.get("key"), "value", "value");
    }),
    of("publishes where another product reads, if one does", async ({ cache, readPublished }) => {
      same(
        readPublished !== undefined,
        cache.publish !== undefined,
        "the harness can read what is published",
      );
      for (const keySet of VALUES) {
        await cache.publish?.("provider", keySet, HOUR);
        if (readPublished) unchanged([await readPublished("provider")], keySet);
      }
    }),
    of(
      "tells what failed on one line, with the driver's error as the cause",
      async ({ cache, breakDriver }) => {
        if (!breakDriver) return;
        await cache.put("key", "value", HOUR);
        await breakDriver();
        const work = [cache.get("key"), cache.put("key", "value", HOUR), cache.add("key", "value", HOUR)];
        if (cache.publish) work.push(cache.publish("key", "value", HOUR));
        for (const thrown of await Promise.all(work.map((one) => rejects(one, ["cache_failed"], "call")))) {
          same(thrown instanceof Error && thrown.cause instanceof Error, true, "there is a cause");
          same(
            /key.*(nothing was changed|unknown whether)/.test(String(thrown)),
            true,
            `"${String(thrown)}" tells all`,
          );
          same(/\n/.test(String(thrown)), false, "more than one line");
        }
      },
    ),
  ];
}

/** Rejects unless all are the value; a long value is not shown whole. */
function unchanged(found: readonly (string | null)[], value: string): void {
  const brief = value.length > 60 ? `${value.slice(0, 60)}… (${value.length} characters)` : value;
  const which = found.map((one) => one === value);
  same(
    which,
    found.map(() => true),
    `whether each is ${JSON.stringify(brief)}`,
  );
}
