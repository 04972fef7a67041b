// What jose is given: a resolver for its `jwtVerify`, and a set for its cache.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { createRemoteJWKSet, customFetch, errors, jwksCache, jwtVerify } from "jose";
import { testKey } from "../support/keys.ts";
import { startProvider } from "../support/provider.ts";
import { testTls, trustInProcess } from "../support/tls.ts";
import { CLIENT, keysOf, refreshedWell, refusal } from "./setup.ts";
import { ALGS, AUDIENCE, CLAIMS, ISSUER, knowing, NOW, published, SET, SIGNERS, tokenOf } from "./tokens.ts";

after(trustInProcess((await testTls()).ca));

const OPTIONS = { issuer: ISSUER, audience: AUDIENCE, currentDate: new Date(NOW * 1000) };

describe("the resolver", () => {
  for (const alg of ALGS) {
    test(`finds the key of a token by ${alg}, with and without its id`, async () => {
      const resolver = (await knowing(SET)).resolver(CLIENT);
      for (const header of [{}, { kid: undefined }]) {
        const { payload, key } = await jwtVerify(tokenOf(alg, header), resolver, OPTIONS);
        assert.deepEqual(payload, CLAIMS);
        assert.ok(key instanceof CryptoKey);
        // For this alone, and not to be taken out.
        assert.deepEqual([key.type, key.usages, key.extractable], ["public", ["verify"], false]);
      }
    });
  }

  test("leaves it to jose what a signature and claims must be", async () => {
    const resolver = (await knowing(SET)).resolver(CLIENT);
    const stranger = tokenOf("RS256", {}, {}, testKey("rs256-next").privateJwk);
    await assert.rejects(jwtVerify(stranger, resolver, OPTIONS), errors.JWSSignatureVerificationFailed);
    await assert.rejects(jwtVerify(tokenOf("RS256", {}, { exp: 0 }), resolver, OPTIONS), errors.JWTExpired);
  });

  test("has no key for what the provider may not sign with, whatever jose would allow", async () => {
    const resolver = (await knowing(SET, ISSUER, ["ES256"])).resolver(CLIENT);
    await jwtVerify(tokenOf("ES256"), resolver, OPTIONS);
    assert.equal((await refusal(jwtVerify(tokenOf("RS256"), resolver, OPTIONS))).code, "token_algorithm");
  });

  test("has no key where several fit: jose could not try each", async () => {
    const keys = await knowing(published(testKey("rs256", "twice"), testKey("rs256-next", "twice")));
    for (const kid of ["twice", undefined]) {
      const work = jwtVerify(tokenOf("RS256", { kid }), keys.resolver(CLIENT), OPTIONS);
      const { code, message } = await refusal(work);
      assert.deepEqual([code, message], ["token_key", "2 keys of `acme` fit the token"]);
    }
  });

  // Regression: wasm wrote past its memory for a number, and took as much of it as an object had as its `length`.
  for (const odd of [5, null, true, ["rs256"], {}, { length: 5 }, { length: 1e9 }]) {
    test(`a header with ${JSON.stringify(odd)} for an id or an algorithm is refused, and costs nothing`, async () => {
      const keys = await knowing(SET);
      const before = process.memoryUsage().external;
      const work = jwtVerify(tokenOf("RS256", { kid: odd }), keys.resolver(CLIENT), OPTIONS);
      assert.equal((await refusal(work)).code, "token_malformed");
      const header = JSON.parse(JSON.stringify({ alg: odd, kid: "rs256" }));
      assert.match((await refusal(keys.resolver(CLIENT)(header))).code, /^token_(malformed|algorithm)$/);
      assert.ok(process.memoryUsage().external - before < 1024 * 1024);
      await jwtVerify(tokenOf("RS256"), keys.resolver(CLIENT), OPTIONS);
    });
  }
});

describe("jose's own cache", () => {
  test("is filled by what `get` gives, and jose fetches nothing", async () => {
    await using provider = await startProvider({ keys: Object.values(SIGNERS) });
    const setup = keysOf(provider);
    await refreshedWell(setup);
    let fetched = 0;
    const remote = createRemoteJWKSet(new URL(provider.jwksUri()), {
      [jwksCache]: await setup.keys.get(CLIENT),
      [customFetch]: (...args) => {
        fetched += 1;
        return fetch(...args);
      },
    });
    assert.deepEqual([remote.fresh, remote.jwks()?.keys.length], [true, Object.values(SIGNERS).length]);
    for (const alg of ["ES256", "ES384", "ES512"] as const) {
      assert.deepEqual((await jwtVerify(tokenOf(alg), remote, OPTIONS)).payload, CLAIMS);
    }
    assert.deepEqual([fetched, provider.requests.length], [0, 1]);
  });

  test("is too old where the provider's last word is: jose fetches", async () => {
    await using provider = await startProvider();
    const setup = keysOf(provider, { clock: () => Date.now() - 86_400_000 });
    await refreshedWell(setup);
    const remote = createRemoteJWKSet(new URL(provider.jwksUri()), {
      [jwksCache]: await setup.keys.get(CLIENT),
    });
    assert.equal(remote.fresh, false);
    await jwtVerify(tokenOf("RS256"), remote, OPTIONS);
    assert.equal(provider.requests.length, 2);
  });
});
