// How little is asked of a provider, and how long its word holds.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { keySet, testKey } from "../support/keys.ts";
import { startProvider } from "../support/provider.ts";
import * as scenarios from "../support/scenarios.ts";
import { testTls, trustInProcess } from "../support/tls.ts";
import {
  CLIENT,
  ENTRY,
  keysOf,
  kidsOf,
  refreshed,
  refreshedWell,
  type Setup,
  secondsBetween,
  WAYS,
} from "./setup.ts";

after(trustInProcess((await testTls()).ca));

const entryOf = ({ cache }: Setup) => JSON.parse(cache.entries().get(ENTRY) ?? "{}");

for (const [way, fetch] of Object.entries(WAYS)) {
  describe(`validators, by ${way}`, () => {
    test("the tag of what is there is sent; 304 leaves the keys and moves the time", async () => {
      await using provider = await startProvider({ caching: { cacheControl: "max-age=3600" } });
      let now = Date.UTC(2026, 5, 1);
      const setup = keysOf(provider, { clock: () => now, ...fetch });
      await refreshedWell(setup);
      const first = entryOf(setup);
      now += 1_000_000;
      const report = await refreshedWell(setup);
      const second = entryOf(setup);
      assert.deepEqual(
        provider.requests.map(({ headers }) => headers["if-none-match"]),
        [undefined, first.etag],
      );
      // The body of the second answer was not sent.
      assert.ok((provider.requests[1]?.bytesSent ?? 1e9) < (provider.requests[0]?.bytesSent ?? 0) - 400);
      assert.deepEqual(
        [report.outcome, report.added, report.removed, report.changed],
        ["unchanged", [], [], []],
      );
      assert.equal(report.keys.length, 1);
      assert.ok(secondsBetween(first.checkedAt, second.checkedAt) > 990);
      const { checkedAt: _before, freshUntil: _until, ...rest } = first;
      const { checkedAt, freshUntil, ...same } = second;
      assert.deepEqual(same, rest);
      assert.equal(secondsBetween(checkedAt, freshUntil), 3600);
      assert.equal(report.freshUntil, freshUntil);
    });

    test("after a rotation there is no 304", async () => {
      await using provider = await startProvider();
      const setup = keysOf(provider, fetch);
      await refreshedWell(setup);
      provider.rotate(testKey("rs256-next"));
      assert.equal((await refreshedWell(setup)).outcome, "refreshed");
      assert.deepEqual(await kidsOf(setup), ["rs256-next"]);
      assert.equal((await refreshedWell(setup)).outcome, "unchanged");
      const tags = provider.requests.map(({ headers }) => headers["if-none-match"]);
      assert.ok(tags[1] && tags[2] && tags[1] !== tags[2]);
    });

    for (const [name, etag] of Object.entries(scenarios.ODD_ETAGS)) {
      test(`a tag ${name} harms nobody, and goes back as it is or not at all`, async () => {
        await using provider = await startProvider({ caching: { etag } });
        const setup = keysOf(provider, fetch);
        for (const outcome of ["refreshed", "unchanged", "unchanged"]) {
          assert.equal((await refreshedWell(setup)).outcome, outcome);
        }
        const [first, ...others] = provider.requests.map(({ headers }) => headers["if-none-match"]);
        assert.equal(first, undefined);
        // Within what a header may hold by RFC 9110, and a client should.
        const plain = /^[\x21-\x7e]{1,512}$/.test(etag);
        for (const sent of others) assert.ok(sent === undefined || (plain && sent === etag), sent);
      });
    }

    for (const kind of Object.keys(scenarios.BROKEN_ETAGS) as (keyof typeof scenarios.BROKEN_ETAGS)[]) {
      test(`a tag ${kind} is no header: the keys are taken, or nothing is; and nothing of it is sent back`, async () => {
        await using provider = await startProvider();
        provider.respond("/jwks", scenarios.brokenEtag(keySet(testKey("rs256-next")), kind));
        const setup = keysOf(provider, { retries: 0, ...fetch });
        const { error } = await refreshed(setup);
        assert.ok(error === undefined || error.code === "provider_unreachable", error?.code);
        provider.rotate(testKey("rs256"));
        await refreshedWell(setup);
        const sent = provider.requests.at(-1)?.headers ?? {};
        assert.equal(sent["x-injected"], undefined);
        assert.match(String(sent["if-none-match"] ?? '""'), /^[\x21-\x7e]{2,512}$/);
      });
    }
  });
}

describe("validators", () => {
  test("a tag of nothing but an asterisk is never sent: it would stand for any keys", async () => {
    await using provider = await startProvider({ caching: { etag: "*" } });
    const setup = keysOf(provider);
    await refreshedWell(setup);
    provider.rotate(testKey("rs256-next"));
    assert.equal((await refreshedWell(setup)).outcome, "refreshed");
  });

  test("a tag belongs to an address: it is not sent to another", async () => {
    await using provider = await startProvider();
    provider.respond("/other", scenarios.cached(keySet(testKey("es256"))));
    provider.respond("/moved", scenarios.redirect("/other"));
    const { cache } = keysOf(provider);
    const at = (path: string) => keysOf({ jwksUri: provider.jwksUri(path) }, { cache });
    await refreshedWell(at("/jwks"));
    await refreshedWell(at("/other"));
    await refreshedWell(at("/moved"));
    assert.deepEqual(
      provider.requests.map(({ path, headers }) => [path, headers["if-none-match"] !== undefined]),
      [
        ["/jwks", false],
        ["/other", false],
        ["/moved", false],
        ["/other", false],
      ],
    );
    await refreshedWell(at("/moved"));
    const tagged = provider.requests.slice(-2).map(({ headers }) => headers["if-none-match"] !== undefined);
    assert.deepEqual(tagged, [false, true]);
  });

  test("an entry that cannot be read has no tag", async () => {
    await using provider = await startProvider();
    const setup = keysOf(provider);
    await refreshedWell(setup);
    const { keySet: _set, ...rest } = entryOf(setup);
    await setup.cache.put(ENTRY, JSON.stringify({ ...rest, keySet: '{"keys":[]}' }), { ttlSeconds: 60 });
    assert.equal((await refreshedWell(setup)).outcome, "refreshed");
    assert.equal(provider.requests[1]?.headers["if-none-match"], undefined);
  });

  test("a date is no validator that is used", async () => {
    const lastModified = new Date("2026-01-01T00:00:00Z");
    await using provider = await startProvider({ caching: { etag: null, lastModified } });
    const setup = keysOf(provider);
    for (const outcome of ["refreshed", "unchanged"]) {
      assert.equal((await refreshedWell(setup)).outcome, outcome);
    }
  });
});

describe("freshness", () => {
  const POLICY = { minFreshSeconds: 300, maxFreshSeconds: 86_400 };

  for (const [caching, seconds] of [
    [{}, 300],
    [{ cacheControl: "public, max-age=3600" }, 3600],
    [{ cacheControl: "max-age=15" }, 300],
    [{ cacheControl: "max-age=3283200, must-revalidate" }, 86_400],
    [{ cacheControl: "max-age=99999999999999999999" }, 86_400],
    [{ cacheControl: "max-age=3600", age: 600 }, 3000],
    [{ cacheControl: "max-age=3600", age: 5000 }, 300],
    [{ cacheControl: "max-age=3600", age: "-5" }, 3600],
    [{ cacheControl: "max-age=3600", age: "nonsense" }, 3600],
    [{ cacheControl: "no-store, max-age=3600" }, 300],
    [{ cacheControl: "no-cache" }, 300],
    [{ cacheControl: "max-age" }, 300],
    [{ cacheControl: "max-age=-1" }, 300],
    [{ cacheControl: 'MAX-AGE="3600"' }, 3600],
    // Expires is older than Cache-Control and needs a clock that agrees: it is not read.
    [{ expires: new Date(Date.now() + 3_600_000).toUTCString() }, 300],
  ] satisfies [scenarios.Caching, number][]) {
    test(`${JSON.stringify(caching)}: ${seconds} s`, async () => {
      await using provider = await startProvider({ caching });
      const setup = keysOf(provider, POLICY);
      const { freshUntil } = await refreshedWell(setup);
      assert.equal(secondsBetween(entryOf(setup).checkedAt, freshUntil), seconds);
    });
  }

  test("another floor and ceiling", async () => {
    await using provider = await startProvider({ caching: { cacheControl: "max-age=60" } });
    for (const [policy, seconds] of [
      [{ minFreshSeconds: 0 }, 60],
      [{ minFreshSeconds: 90 }, 90],
      [{ minFreshSeconds: 0, maxFreshSeconds: 30 }, 30],
      [{ minFreshSeconds: 0, maxFreshSeconds: 0 }, 0],
    ] as const) {
      const setup = keysOf(provider, policy);
      const { freshUntil } = await refreshedWell(setup);
      assert.equal(secondsBetween(entryOf(setup).checkedAt, freshUntil), seconds);
    }
  });

  test("the states of keys: fresh, stale, too old, by the clock", async () => {
    await using provider = await startProvider({ caching: { cacheControl: "max-age=600" } });
    const begin = Date.UTC(2026, 5, 1);
    let now = begin;
    // The cache keeps time of its own, so that it is the state that ends their use.
    const { cache } = keysOf(provider);
    const setup = keysOf(provider, { clock: () => now, cache });
    const { freshUntil, usableUntil } = await refreshedWell(setup);
    const stateAt = async (instant: number) => {
      now = instant;
      return (await setup.keys.status())[0]?.state;
    };
    const { keySet: _set, source: _source, version: _version, etag: _etag, ...entry } = entryOf(setup);
    const { keys, lastFailure, ...told } = (await setup.keys.status())[0] ?? assert.fail();
    assert.deepEqual(told, { client: CLIENT, state: "fresh", ...entry, usableUntil });
    assert.deepEqual(
      [keys.map(({ kid, usable }) => [kid, usable]), lastFailure],
      [[["rs256", true]], undefined],
    );
    const [fresh, usable] = [Date.parse(freshUntil ?? ""), Date.parse(usableUntil ?? "")];
    const states = [begin + 1000, fresh - 1, fresh + 1, usable - 1, usable + 1].map(
      (instant) => () => stateAt(instant),
    );
    const seen = [];
    for (const state of states) seen.push(await state());
    assert.deepEqual(seen, ["fresh", "fresh", "stale", "stale", "too_old"]);
    // Keys from a future that is more than a wrong clock away would never grow old.
    assert.deepEqual(
      [await stateAt(begin - 3_500_000), await stateAt(begin - 3_700_000)],
      ["fresh", "too_old"],
    );
  });
});
