// What is told of a set that differs from the one before, and what is kept of it.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { calculateJwkThumbprint } from "jose";
import { GOOGLE, MICROSOFT, ODD_KEYS } from "../support/fixtures.ts";
import { keySet, testKey } from "../support/keys.ts";
import { startProvider } from "../support/provider.ts";
import * as scenarios from "../support/scenarios.ts";
import { testTls, trustInProcess } from "../support/tls.ts";
import { CLIENT, ENTRY, keysOf, kidsOf, refreshedWell, secondsBetween, WAYS } from "./setup.ts";

after(trustInProcess((await testTls()).ca));

/** What stands for a key that has no id. */
const PRINT = await calculateJwkThumbprint(testKey("rs256").publicJwk);

for (const [way, fetch] of Object.entries(WAYS)) {
  describe(`rotations, by ${way}`, () => {
    test("the first keys, the same again, another one, others altogether", async () => {
      await using provider = await startProvider();
      const setup = keysOf(provider, fetch);
      const steps = [
        [["rs256"], "refreshed", ["rs256"], []],
        [["rs256"], "unchanged", [], []],
        [["rs256", "es256"], "refreshed", ["es256"], []],
        [["es256", "rs256"], "unchanged", [], []],
        [["rs256-next", "eddsa"], "refreshed", ["eddsa", "rs256-next"], ["es256", "rs256"]],
        [["eddsa"], "refreshed", [], ["rs256-next"]],
      ] as const;
      for (const [names, outcome, added, removed] of steps) {
        provider.rotate(...names.map((name) => testKey(name)));
        const report = await refreshedWell(setup);
        assert.equal(report.outcome, outcome);
        assert.deepEqual([report.added, report.removed, report.changed], [added, removed, []]);
        assert.deepEqual(
          report.keys.map(({ kid, usable }) => [kid, usable]),
          names.map((name) => [name, true]),
        );
        assert.deepEqual([report.uri, report.warnings], [provider.jwksUri(), []]);
        assert.deepEqual(await kidsOf(setup), names);
      }
      assert.equal(provider.requests.length, steps.length);
    });

    test("another key under the same id", async () => {
      await using provider = await startProvider();
      const setup = keysOf(provider, fetch);
      const before = await refreshedWell(setup);
      provider.rotate(testKey("rs256-next", "rs256"));
      const report = await refreshedWell(setup);
      assert.equal(report.outcome, "refreshed");
      assert.deepEqual([report.added, report.removed, report.changed], [[], [], ["rs256"]]);
      assert.notEqual(report.keys[0]?.thumbprint, before.keys[0]?.thumbprint);
      const expected = await calculateJwkThumbprint(testKey("rs256-next").privateJwk);
      assert.equal(report.keys[0]?.thumbprint, expected);
      const { jwks } = await setup.keys.get(CLIENT);
      assert.equal(jwks.keys[0]?.n, testKey("rs256-next").publicJwk.n);
    });
  });
}

describe("sets that are unusual", () => {
  const CASES = {
    "two keys under one id": {
      scenario: scenarios.duplicateIds(),
      added: ["twice"],
      kids: ["twice", "twice"],
      warnings: ["2 keys have the id `twice`"],
    },
    "two types under one id": {
      scenario: scenarios.sharedId(),
      added: ["shared"],
      kids: ["shared", "shared"],
      warnings: ["2 keys have the id `shared`"],
    },
    "one key twice": {
      scenario: scenarios.sameKeyTwice(),
      added: ["rs256"],
      kids: ["rs256", "rs256"],
      warnings: ["2 keys have the id `rs256`"],
    },
    "a key without an id": {
      scenario: scenarios.keyWithout(),
      added: [PRINT],
      kids: [undefined],
      warnings: ["1 usable key(s) without an id"],
    },
    "a key without use and algorithm": {
      scenario: scenarios.keyWithout(testKey("rs256"), ["alg", "use"]),
      added: ["rs256"],
      kids: ["rs256"],
      warnings: [],
    },
    "an unknown type beside a good key": {
      scenario: scenarios.goodAndOdd("kty-unknown"),
      added: ["rs256"],
      kids: ["rs256"],
      warnings: ["set aside: the key `kty-unknown`: a key of type `AKP`"],
    },
    "a byte order mark": {
      scenario: scenarios.AMBIGUOUS_SETS["a byte order mark"],
      added: ["rs256-next"],
      kids: ["rs256-next"],
      warnings: [],
    },
    "`keys` twice, of which the last counts": {
      scenario: scenarios.AMBIGUOUS_SETS["keys twice"],
      added: ["rs256-next"],
      kids: ["rs256-next"],
      warnings: [],
    },
    "an id twice, of which the last counts": {
      scenario: scenarios.AMBIGUOUS_SETS["a member twice"],
      added: ["rs256-next"],
      kids: ["rs256-next"],
      warnings: [],
    },
  } as const;

  for (const [name, { scenario, added, kids, warnings }] of Object.entries(CASES)) {
    test(`${name}: refreshed, and unchanged the next time`, async () => {
      await using provider = await startProvider();
      provider.respond("/jwks", scenario);
      const setup = keysOf(provider);
      const report = await refreshedWell(setup);
      assert.deepEqual([report.outcome, report.added, report.warnings], ["refreshed", added, warnings]);
      assert.deepEqual(await kidsOf(setup), kids);
      assert.equal((await refreshedWell(setup)).outcome, "unchanged");
    });
  }

  test("every odd key beside a good one: the good one is used, and of the odd one nothing is kept", async () => {
    await using provider = await startProvider();
    for (const [name, jwk] of Object.entries(ODD_KEYS)) {
      provider.respond("/jwks", scenarios.goodAndOdd(name));
      const setup = keysOf(provider);
      const report = await refreshedWell(setup);
      assert.deepEqual(
        [report.keys[0]?.kid, report.keys[0]?.usable, report.keys.length],
        ["rs256", true, 2],
        name,
      );
      if (report.keys[1]?.usable) continue;
      assert.deepEqual(await kidsOf(setup), ["rs256"], name);
      assert.match(report.warnings[0] ?? "", /^(set aside|SECRET PUBLISHED): /, name);
      const kept = [...setup.cache.entries().values()].join();
      for (const member of [jwk.kid, jwk.d, jwk.k]) assert.ok(!kept.includes(String(member ?? "\0")), name);
    }
  });

  for (const [name, set] of Object.entries({ Google: GOOGLE, Microsoft: MICROSOFT })) {
    test(`a set as ${name} serves it: every key is used, with what is registered of it`, async () => {
      await using provider = await startProvider();
      provider.respond("/jwks", scenarios.json(set));
      const setup = keysOf(provider);
      assert.deepEqual((await refreshedWell(setup)).warnings, []);
      const { jwks } = await setup.keys.get(CLIENT);
      const registered = set.keys.map(({ issuer: _issuer, cloud_instance_name: _cloud, ...key }) => key);
      assert.deepEqual(jwks.keys, registered);
    });
  }
});

describe("what the cache has", () => {
  test("is the set and its history, in a form that other versions can tell", async () => {
    await using provider = await startProvider({ caching: { cacheControl: "max-age=3600" } });
    const setup = keysOf(provider);
    const report = await refreshedWell(setup);
    const first = JSON.parse(setup.cache.entries().get(ENTRY) ?? "");
    assert.deepEqual(Object.keys(first).sort(), [
      "checkedAt",
      "etag",
      "fetchedAt",
      "freshUntil",
      "keySet",
      "source",
      "uri",
      "version",
    ]);
    assert.deepEqual([first.version, first.source, first.uri], [1, provider.jwksUri(), provider.jwksUri()]);
    assert.deepEqual(JSON.parse(first.keySet), keySet(testKey("rs256")));
    assert.equal(first.fetchedAt, first.checkedAt);
    assert.equal(first.freshUntil, report.freshUntil);
    assert.equal(secondsBetween(first.checkedAt, report.freshUntil), 3600);
    assert.equal(secondsBetween(first.checkedAt, report.usableUntil), 7 * 86_400);
    const { uat } = await setup.keys.get(CLIENT);
    assert.equal(uat, Date.parse(first.checkedAt));
  });

  test("is published to caches that another product reads, after the entry, and with the same time", async () => {
    await using provider = await startProvider();
    const setup = keysOf(provider);
    const published: unknown[][] = [];
    const cache = {
      ...setup.cache,
      publish: async (...args: unknown[]) => void published.push([...setup.cache.writes, ...args]),
    };
    const { keys } = keysOf(provider, { cache });
    const put = `put ${ENTRY}`;
    const text = JSON.stringify(keySet(testKey("rs256")));
    await keys.refresh();
    const [, provided, published1, keep] = published[0] ?? [];
    assert.deepEqual([published[0]?.[0], provided, keep], [put, CLIENT, { ttlSeconds: 7 * 86_400 }]);
    assert.deepEqual(JSON.parse(String(published1)), JSON.parse(text));
    // Unchanged keys are published again: what the other product has would end otherwise.
    await keys.refresh();
    assert.equal(published.length, 2);
    provider.respond("/jwks", scenarios.status(404));
    await keys.refresh();
    assert.equal(published.length, 2);
  });
});
