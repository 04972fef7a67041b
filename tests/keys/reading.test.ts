// Reading as a login needs it: from the cache, and from the provider once in a while at most.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { JanitorError, type KeysOptions } from "idp-janitor";
import { decodeProtectedHeader, jwtVerify } from "jose";
import { keySet, signToken, testKey } from "../support/keys.ts";
import { type Provider, startProvider } from "../support/provider.ts";
import * as scenarios from "../support/scenarios.ts";
import { testTls, trustInChildren, trustInProcess } from "../support/tls.ts";
import {
  ATTEMPT,
  CLIENT,
  COOLDOWN,
  ENTRY,
  keysOf,
  kidsOf,
  refreshedWell,
  refusal,
  type Setup,
  watchedCache,
} from "./setup.ts";

const { ca } = await testTls();
after(trustInProcess(ca));

const AUDIENCE = "client-1";

/** A provider with its issuer, so that its tokens can be verified. */
const configured = (provider: Provider) => ({ jwksUri: provider.jwksUri(), issuer: provider.issuer });

/** Keys by a clock that a test moves, and that their cache has too. */
function clocked(provider: Provider, options: Partial<Omit<KeysOptions, "cache">> = {}) {
  let now = Date.UTC(2026, 5, 1);
  const clock = () => now;
  const setup = keysOf(configured(provider), { clock, ...options });
  const elapse = (seconds: number) => {
    now += seconds * 1000;
  };
  return { ...setup, elapse };
}

/** A token of a provider, signed by one of its keys, under any id. */
function tokenOf({ issuer }: Provider, kid?: string, key = testKey("rs256")): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, sub: "1", aud: AUDIENCE, iat: now, exp: now + 600 };
  return signToken(key, claims, kid === undefined ? {} : { kid });
}

const verify = ({ keys }: Pick<Setup, "keys">, token: string) =>
  keys.verifyIdToken(token, { provider: CLIENT, audience: AUDIENCE, now: new Date() });

describe("keys that are there", () => {
  test("are read without asking anybody, also when they are not fresh any more", async () => {
    await using provider = await startProvider();
    const setup = clocked(provider);
    await refreshedWell(setup);
    setup.elapse(86_400);
    assert.equal((await setup.keys.status())[0]?.state, "stale");
    for (let time = 0; time < 3; time += 1) assert.deepEqual(await kidsOf(setup), ["rs256"]);
    await verify(setup, await tokenOf(provider));
    assert.equal(provider.requests.length, 1);
    assert.deepEqual([setup.warnings, setup.cache.writes], [[], [`put ${ENTRY}`]]);
  });

  test("are those of the cache, whoever put them there", async () => {
    await using provider = await startProvider();
    const { cache } = keysOf(provider);
    const [reader, writer] = [keysOf(provider, { cache }), keysOf(provider, { cache })];
    await refreshedWell(writer);
    assert.deepEqual(await kidsOf(reader), ["rs256"]);
    provider.rotate(testKey("es256"));
    await refreshedWell(writer);
    assert.deepEqual(await kidsOf(reader), ["es256"]);
    assert.equal(provider.requests.length, 2);
  });

  test("are given in a form that their reader may change", async () => {
    await using provider = await startProvider();
    const setup = keysOf(provider);
    await refreshedWell(setup);
    (await setup.keys.get(CLIENT)).jwks.keys.pop();
    assert.deepEqual(await kidsOf(setup), ["rs256"]);
  });

  test("are used until they are too old, by the second, and not a millisecond longer", async () => {
    await using provider = await startProvider();
    // The cache keeps them for longer, as one with another clock would.
    const cache = watchedCache();
    let now = Date.now();
    const setup = keysOf(configured(provider), {
      cache,
      clock: () => now,
      maxStaleSeconds: 86_400,
      timeoutSeconds: 1,
    });
    const { usableUntil } = await refreshedWell(setup);
    await provider.close();
    now = Date.parse(usableUntil ?? "") - 1;
    assert.deepEqual(await kidsOf(setup), ["rs256"]);
    now += 1;
    const { code, message } = await refusal(setup.keys.get(CLIENT));
    assert.equal(code, "keys_unavailable");
    assert.match(message, /could not be reached/);
    assert.equal((await refusal(verify(setup, await tokenOf(provider)))).code, "keys_unavailable");
    assert.equal((await setup.keys.status())[0]?.state, "too_old");
  });
});

describe("keys that are not there", () => {
  test("are fetched reluctantly: with a warning, once", async () => {
    await using provider = await startProvider();
    const setup = keysOf(configured(provider));
    assert.deepEqual(await kidsOf(setup), ["rs256"]);
    assert.equal(setup.warnings.length, 1);
    assert.match(setup.warnings[0] ?? "", /`acme` are not in the cache: fetching them reluctantly/);
    assert.deepEqual(setup.cache.writes, [`add ${COOLDOWN}`, `put ${ENTRY}`]);
    await kidsOf(setup);
    assert.equal(provider.requests.length, 1);
  });

  test("are fetched once for all who want them at the same time", async () => {
    await using provider = await startProvider();
    provider.respond("/jwks", scenarios.delayed(50, scenarios.set(testKey("rs256"))));
    const setup = keysOf(configured(provider));
    const token = await tokenOf(provider);
    const readers = Array.from({ length: 20 }, () => kidsOf(setup));
    const claims = Array.from({ length: 20 }, () => verify(setup, token));
    for (const kids of await Promise.all(readers)) assert.deepEqual(kids, ["rs256"]);
    for (const { sub } of await Promise.all(claims)) assert.equal(sub, "1");
    assert.deepEqual([provider.requests.length, setup.warnings.length], [1, 1]);
    // Within a process they wait for one another, and need no cooldown for it.
    assert.deepEqual(setup.cache.writes, [`add ${COOLDOWN}`, `put ${ENTRY}`]);
  });

  test("and cannot be fetched: unavailable, and why; nobody asks again before the cooldown is over", async () => {
    await using provider = await startProvider();
    const setup = clocked(provider, { retries: 0 });
    provider.respond("/jwks", scenarios.status(500));
    const readers = Array.from({ length: 20 }, () => refusal(setup.keys.get(CLIENT)));
    for (const { code, message } of await Promise.all(readers)) {
      assert.equal(code, "keys_unavailable");
      assert.match(message, /no token is accepted; the last attempt \(2026-06-01T.*\) failed: .* status 500/);
    }
    assert.equal(provider.requests.length, 1);
    assert.match(setup.warnings[1] ?? "", /could not be refreshed: .* status 500/);
    setup.elapse(59);
    assert.equal((await refusal(setup.keys.get(CLIENT))).code, "keys_unavailable");
    assert.equal(provider.requests.length, 1);
    setup.elapse(2);
    provider.rotate(testKey("rs256"));
    assert.deepEqual(await kidsOf(setup), ["rs256"]);
    assert.equal(provider.requests.length, 2);
  });

  test("what the reluctant refresh finds odd is told", async () => {
    await using provider = await startProvider();
    provider.respond("/jwks", scenarios.set(testKey("rs256"), testKey("es256").privateJwk));
    const setup = keysOf(provider);
    await kidsOf(setup);
    assert.match(setup.warnings[1] ?? "", /^`acme`: SECRET PUBLISHED/);
  });

  test("a cooldown of another length", async () => {
    await using provider = await startProvider();
    const setup = clocked(provider, { retries: 0, cooldownSeconds: 5 });
    provider.respond("/jwks", scenarios.status(404));
    for (const requests of [1, 1, 2, 2, 3]) {
      await refusal(setup.keys.get(CLIENT));
      assert.equal(provider.requests.length, requests);
      setup.elapse(3);
    }
  });
});

describe("a key id that is not known", () => {
  const twenty = (provider: Provider) =>
    Promise.all(Array.from({ length: 20 }, (_, at) => tokenOf(provider, `unknown-${at}`)));

  test("20 of them at once: one fetch, and no token is accepted", async () => {
    await using provider = await startProvider();
    const setup = keysOf(configured(provider));
    await refreshedWell(setup);
    const results = await Promise.all((await twenty(provider)).map((token) => refusal(verify(setup, token))));
    assert.deepEqual(new Set(results.map(({ code }) => code)), new Set(["token_key"]));
    assert.equal(provider.requests.length, 2);
    assert.match(
      setup.warnings.join(),
      /^the keys of `acme` have none with the id `unknown-\d+`: asking the provider/,
    );
    assert.equal(setup.warnings.length, 1);
    for (const token of await twenty(provider)) await refusal(verify(setup, token));
    assert.equal(provider.requests.length, 2);
  });

  test("20 of them by the resolver that jose asks: one fetch", async () => {
    await using provider = await startProvider();
    const setup = keysOf(configured(provider));
    await refreshedWell(setup);
    const resolver = setup.keys.resolver(CLIENT);
    const results = await Promise.all(
      (await twenty(provider)).map((token) => refusal(jwtVerify(token, resolver))),
    );
    assert.deepEqual(new Set(results.map(({ code }) => code)), new Set(["token_key"]));
    assert.equal(provider.requests.length, 2);
  });

  test("20 of them on an empty cache: one fetch", async () => {
    await using provider = await startProvider();
    const setup = keysOf(configured(provider));
    const resolver = setup.keys.resolver(CLIENT);
    const tokens = await twenty(provider);
    const resolved = tokens.map((token) => refusal(resolver(decodeProtectedHeader(token))));
    const verified = tokens.map((token) => refusal(verify(setup, token)));
    for (const { code } of await Promise.all([...resolved, ...verified])) assert.equal(code, "token_key");
    assert.equal(provider.requests.length, 1);
  });

  test("that the provider has by now: its keys are asked for, and the token is accepted", async () => {
    await using provider = await startProvider();
    const setup = keysOf(configured(provider));
    await refreshedWell(setup);
    provider.rotate(testKey("rs256"), testKey("rs256-next"));
    const token = await tokenOf(provider, undefined, testKey("rs256-next"));
    const accepted = await Promise.all(Array.from({ length: 20 }, () => verify(setup, token)));
    assert.equal(accepted.length, 20);
    assert.equal(provider.requests.length, 2);
  });

  test("a second one within the cooldown is refused, and let in after it", async () => {
    await using provider = await startProvider();
    const setup = clocked(provider);
    await refreshedWell(setup);
    await refusal(verify(setup, await tokenOf(provider, "unknown")));
    provider.rotate(testKey("rs256-next"));
    const token = await tokenOf(provider, undefined, testKey("rs256-next"));
    setup.elapse(59);
    assert.equal((await refusal(verify(setup, token))).code, "token_key");
    assert.equal(provider.requests.length, 2);
    setup.elapse(1);
    assert.equal((await verify(setup, token)).sub, "1");
    assert.equal(provider.requests.length, 3);
  });

  test("while the provider is not there: the keys of before are used for those who have one of them", async () => {
    await using provider = await startProvider();
    const setup = keysOf(configured(provider), { retries: 0 });
    await refreshedWell(setup);
    const [known, unknown] = [await tokenOf(provider), await tokenOf(provider, "unknown")];
    await provider.close();
    assert.equal((await refusal(verify(setup, unknown))).code, "token_key");
    assert.match(setup.warnings.join(), /could not be refreshed/);
    assert.equal((await verify(setup, known)).sub, "1");
  });

  test("that is meant for a log: one line, no control characters, not without an end", async () => {
    await using provider = await startProvider();
    const setup = keysOf(configured(provider));
    await refreshedWell(setup);
    await refusal(verify(setup, await tokenOf(provider, `\n\u001b[31m${"x".repeat(1000)}\u202e`)));
    assert.match(setup.warnings[0] ?? "", /^[\x20-\x7e]{100,250}$/);
  });

  test("a token without an id asks for nothing: one of the keys has made it, or none", async () => {
    await using provider = await startProvider();
    const setup = keysOf(configured(provider));
    await refreshedWell(setup);
    const { issuer } = provider;
    const claims = { iss: issuer, sub: "1", aud: AUDIENCE, iat: 0, exp: 4e9 };
    assert.equal(
      (await verify(setup, await signToken(testKey("rs256"), claims, { kid: undefined }))).sub,
      "1",
    );
    const other = await signToken(testKey("rs256-next"), claims, { kid: undefined });
    assert.equal((await refusal(verify(setup, other))).code, "token_signature");
    assert.equal(provider.requests.length, 1);
  });

  test("a token that cannot be verified anyway asks for nothing", async () => {
    await using provider = await startProvider();
    const setup = keysOf(configured(provider));
    const wrong = await signToken(testKey("es256"), {}, { kid: "unknown" });
    assert.equal((await refusal(verify(setup, wrong))).code, "token_algorithm");
    assert.equal((await refusal(verify(setup, "a.b"))).code, "token_malformed");
    assert.equal(
      (await refusal(setup.keys.resolver(CLIENT)({ alg: "ES256", kid: "x" }))).code,
      "token_algorithm",
    );
    assert.equal((await refusal(setup.keys.resolver(CLIENT)({}))).code, "token_algorithm");
    assert.equal(provider.requests.length, 0);
  });
});

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

describe("processes that share a cache", { concurrency: true }, () => {
  test("one fetches, and the others wait for what comes of it", async () => {
    await using provider = await startProvider();
    provider.respond("/jwks", scenarios.delayed(700, scenarios.set(testKey("rs256"))));
    const cache = watchedCache();
    const several = Array.from({ length: 5 }, () => keysOf(configured(provider), { cache }));
    const began = performance.now();
    const read = await Promise.all(several.map(kidsOf));
    assert.deepEqual(new Set(read.flat()), new Set(["rs256"]));
    assert.ok(performance.now() - began < 2500);
    assert.equal(provider.requests.length, 1);
    assert.equal(several.flatMap(({ warnings }) => warnings).length, 1);
  });

  test("one fails, and the others do not wait for longer", async () => {
    await using provider = await startProvider();
    provider.respond("/jwks", scenarios.delayed(700, scenarios.status(404)));
    const cache = watchedCache();
    const several = Array.from({ length: 5 }, () => keysOf(configured(provider), { cache }));
    const began = performance.now();
    for (const { code, message } of await Promise.all(several.map(({ keys }) => refusal(keys.get(CLIENT))))) {
      assert.deepEqual([code, /status 404/.test(message)], ["keys_unavailable", true]);
    }
    assert.ok(performance.now() - began < 2500);
    assert.equal(provider.requests.length, 1);
  });

  test("one has fetched within the cooldown: the others ask for nothing, and do not wait", async () => {
    await using provider = await startProvider();
    const cache = watchedCache();
    const [first, second] = [
      keysOf(configured(provider), { cache }),
      keysOf(configured(provider), { cache }),
    ];
    await refusal(verify(first, await tokenOf(provider, "unknown")));
    const began = performance.now();
    assert.equal((await refusal(verify(second, await tokenOf(provider, "unknown")))).code, "token_key");
    assert.ok(performance.now() - began < 2000);
    assert.equal(provider.requests.length, 1);
  });

  test("one has died in the middle of it: the others give up after some seconds", async () => {
    await using provider = await startProvider();
    const setup = keysOf(configured(provider));
    await setup.cache.put(COOLDOWN, new Date().toISOString(), { ttlSeconds: 60 });
    const began = performance.now();
    assert.equal((await refusal(setup.keys.get(CLIENT))).code, "keys_unavailable");
    const took = performance.now() - began;
    assert.ok(took > 4000 && took < 6500, `${took} ms`);
    assert.equal(provider.requests.length, 0);
  });

  test("one whose clock is an hour ahead has died: the others do not wait for an hour", async () => {
    await using provider = await startProvider();
    let now = Date.now();
    const cache = watchedCache();
    const setup = keysOf(configured(provider), { cache, clock: () => now });
    await cache.put(COOLDOWN, new Date(now + 3_600_000).toISOString(), { ttlSeconds: 60 });
    const patience = sleep(7000, { code: "still waiting" }, { ref: false });
    const { code } = await Promise.race([refusal(setup.keys.get(CLIENT)), patience]);
    // Whoever waits still has waited long enough by then.
    now += 7_200_000;
    assert.equal(code, "keys_unavailable");
  });

  test("and are processes indeed, with a table: one of four asks, and all have the keys", async () => {
    await using provider = await startProvider();
    provider.respond("/jwks", scenarios.delayed(1000, scenarios.set(testKey("rs256"))));
    const folder = await mkdtemp(join(tmpdir(), "idp-janitor-keys-"));
    try {
      const child = join(import.meta.dirname, "read-child.ts");
      const args = [child, join(folder, "keys.sqlite3"), provider.jwksUri()];
      const env = { ...process.env, ...trustInChildren(ca) };
      const run = promisify(execFile);
      const children = await Promise.all(
        Array.from({ length: 4 }, () => run(process.execPath, args, { env })),
      );
      const told = children.map(({ stdout }) => JSON.parse(stdout));
      for (const { kids } of told) assert.deepEqual(kids, ["rs256"]);
      assert.equal(told.flatMap(({ warnings }) => warnings).length, 1);
      assert.equal(provider.requests.length, 1);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  for (const [name, value] of [
    ["nonsense", "soon"],
    ["a time of long ago", "2020-01-01T00:00:00Z"],
  ] as const) {
    test(`a cooldown with ${name} in it is a cooldown, and nobody waits for it`, async () => {
      await using provider = await startProvider();
      const setup = keysOf(configured(provider));
      await setup.cache.put(COOLDOWN, value, { ttlSeconds: 60 });
      const began = performance.now();
      assert.equal((await refusal(setup.keys.get(CLIENT))).code, "keys_unavailable");
      assert.ok(performance.now() - began < 2000);
      assert.equal(provider.requests.length, 0);
    });
  }
});
