// Tokens with a key id that is not among the keys: the provider may have a new one, or somebody may be making ids up.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { decodeProtectedHeader, jwtVerify } from "jose";
import { signToken, testKey } from "../support/keys.ts";
import { type Provider, startProvider } from "../support/provider.ts";
import { testTls, trustInProcess } from "../support/tls.ts";
import { AUDIENCE, clocked, configured, tokenOf, verify } from "./logins.ts";
import { CLIENT, keysOf, refreshedWell, refusal } from "./setup.ts";

after(trustInProcess((await testTls()).ca));

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
