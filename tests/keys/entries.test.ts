// Caches that hold something else than they should, and caches that fail, as a login meets them.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { JanitorError } from "idp-janitor";
import { keySet, testKey } from "../support/keys.ts";
import { type Provider, startProvider } from "../support/provider.ts";
import { testTls, trustInProcess } from "../support/tls.ts";
import { configured, tokenOf, verify } from "./logins.ts";
import { ATTEMPT, CLIENT, ENTRY, keysOf, kidsOf, refreshedWell, refusal, watchedCache } from "./setup.ts";

after(trustInProcess((await testTls()).ca));

describe("entries that are not what they should be", () => {
  const entry = (provider: Provider, also: object = {}) => ({
    version: 1,
    source: provider.jwksUri(),
    uri: provider.jwksUri(),
    keySet: JSON.stringify(keySet(testKey("es256"))),
    fetchedAt: new Date().toISOString(),
    checkedAt: new Date().toISOString(),
    freshUntil: new Date(Date.now() + 1e6).toISOString(),
    ...also,
  });

  test("one that is, is used", async () => {
    await using provider = await startProvider();
    const setup = keysOf(provider);
    await setup.cache.put(ENTRY, JSON.stringify(entry(provider)), { ttlSeconds: 60 });
    assert.deepEqual(await kidsOf(setup), ["es256"]);
    assert.equal(provider.requests.length, 0);
  });

  const cases: Readonly<Record<string, (provider: Provider) => string>> = {
    "nothing at all": () => "",
    "no JSON": () => "<html>",
    "half of one": (provider) => JSON.stringify(entry(provider)).slice(0, 300),
    "a list": () => "[]",
    null: () => "null",
    "a number": () => "1e999",
    "brackets without an end": () => "[".repeat(100_000),
    "lone surrogates": () => '{"version":1,"source":"\ud800"}',
    "another version": (provider) => JSON.stringify(entry(provider, { version: 2 })),
    "another address": (provider) => JSON.stringify(entry(provider, { source: `${provider.origin}/other` })),
    "no source": (provider) => JSON.stringify(entry(provider, { source: undefined })),
    "an empty set": (provider) => JSON.stringify(entry(provider, { keySet: '{"keys":[]}' })),
    "a set of private keys": (provider) =>
      JSON.stringify(entry(provider, { keySet: JSON.stringify({ keys: [testKey("es256").privateJwk] }) })),
    "a set that is an object": (provider) =>
      JSON.stringify(entry(provider, { keySet: keySet(testKey("es256")) })),
    "a time that is none": (provider) => JSON.stringify(entry(provider, { checkedAt: "yesterday" })),
    "a time of long ago": (provider) =>
      JSON.stringify(entry(provider, { checkedAt: "2020-01-01T00:00:00Z" })),
    "a time of the far future": (provider) =>
      JSON.stringify(entry(provider, { checkedAt: "2999-01-01T00:00:00Z" })),
    "more than there can be": (provider) =>
      JSON.stringify(entry(provider, { etag: "x".repeat(4 * 1024 * 1024) })),
  };
  for (const [name, value] of Object.entries(cases)) {
    test(`${name}: not used, and the provider is asked`, async () => {
      await using provider = await startProvider();
      const setup = keysOf(configured(provider));
      await setup.cache.put(ENTRY, value(provider), { ttlSeconds: 60 });
      for (const { state } of await setup.keys.status())
        assert.ok(["missing", "too_old"].includes(state), state);
      assert.deepEqual(await kidsOf(setup), ["rs256"]);
      assert.deepEqual([provider.requests.length, setup.warnings.length], [1, 1]);
    });

    test(`${name}: with the provider away, unavailable`, async () => {
      await using provider = await startProvider();
      const setup = keysOf(configured(provider), { retries: 0 });
      await setup.cache.put(ENTRY, value(provider), { ttlSeconds: 60 });
      await setup.cache.put(ATTEMPT, value(provider), { ttlSeconds: 60 });
      await provider.close();
      assert.equal((await refusal(setup.keys.get(CLIENT))).code, "keys_unavailable");
      assert.equal((await refusal(verify(setup, await tokenOf(provider)))).code, "keys_unavailable");
    });
  }

  test("of an issuer, for a provider that has an address by now: not used", async () => {
    await using provider = await startProvider();
    const { cache } = keysOf(provider);
    await refreshedWell(keysOf({ issuer: provider.issuer }, { cache }));
    assert.deepEqual(await keysOf(provider, { cache }).keys.status(), [
      { client: CLIENT, state: "missing", keys: [] },
    ]);
    assert.equal((await keysOf({ issuer: provider.issuer }, { cache }).keys.status())[0]?.state, "fresh");
  });

  test("an attempt of before the last success is not shown, to the millisecond", async () => {
    await using provider = await startProvider();
    const setup = keysOf(provider);
    const at = "2026-06-01T12:00:00.500Z";
    await setup.cache.put(ENTRY, JSON.stringify(entry(provider, { checkedAt: at })), { ttlSeconds: 60 });
    const failureAt = async (instant: string) => {
      const attempt = { at: instant, code: "provider_status", message: "503" };
      await setup.cache.put(ATTEMPT, JSON.stringify(attempt), { ttlSeconds: 60 });
      return (await setup.keys.status())[0]?.lastFailure?.message;
    };
    for (const before of ["2026-06-01T12:00:00Z", "2026-06-01T12:00:00.4Z", "2026-06-01T14:00:00+02:00"]) {
      assert.equal(await failureAt(before), undefined, before);
    }
    for (const later of ["2026-06-01T12:00:01Z", "2026-06-01T12:00:00.501Z", "2026-06-01T11:00:01-01:00"]) {
      assert.equal(await failureAt(later), "503", later);
    }
  });
});

describe("a cache that fails", () => {
  for (const operation of ["get", "add"] as const) {
    test(`to ${operation}: cache_failed, and not unavailable keys`, async () => {
      await using provider = await startProvider();
      const fails = async () => {
        throw new JanitorError("cache_failed", "no connection");
      };
      const setup = keysOf(configured(provider), { cache: { ...watchedCache(), [operation]: fails } });
      const token = await tokenOf(provider);
      for (const work of [() => setup.keys.get(CLIENT), () => verify(setup, token)]) {
        assert.deepEqual(await refusal(work()), { code: "cache_failed", message: "no connection" });
      }
      if (operation === "get") assert.equal((await refusal(setup.keys.status())).code, "cache_failed");
      assert.equal(provider.requests.length, 0);
    });
  }

  test("to put: what was fetched is not used either", async () => {
    await using provider = await startProvider();
    const put = async () => {
      throw new JanitorError("cache_failed", "read-only");
    };
    const setup = keysOf(configured(provider), { cache: { ...watchedCache(), put } });
    assert.equal((await refusal(setup.keys.get(CLIENT))).code, "keys_unavailable");
    assert.match(setup.warnings.join("\n"), /could not be refreshed: read-only/);
  });

  test("for a moment: it works afterwards", async () => {
    await using provider = await startProvider();
    const cache = watchedCache();
    let fails = true;
    const get = async (key: string) => {
      if (fails) throw new JanitorError("cache_failed", "no connection");
      return cache.get(key);
    };
    const setup = keysOf(provider, { cache: { ...cache, get } });
    assert.equal((await refusal(setup.keys.get(CLIENT))).code, "cache_failed");
    fails = false;
    assert.deepEqual(await kidsOf(setup), ["rs256"]);
  });
});
