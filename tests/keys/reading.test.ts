// Reading as a login needs it: from the cache, and from the provider once in a while at most.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { testKey } from "../support/keys.ts";
import { startProvider } from "../support/provider.ts";
import * as scenarios from "../support/scenarios.ts";
import { testTls, trustInProcess } from "../support/tls.ts";
import { clocked, configured, tokenOf, verify } from "./logins.ts";
import { CLIENT, COOLDOWN, ENTRY, keysOf, kidsOf, refreshedWell, refusal, watchedCache } from "./setup.ts";

after(trustInProcess((await testTls()).ca));

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
