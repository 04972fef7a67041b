/** What happens around a refresh: other processes, caches and hosts that are not what one would wish. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { createKeys, type KeysOptions, parseKeySet } from "idp-janitor";
import { keySet, testKey } from "../support/keys.ts";
import { type Provider, startProvider } from "../support/provider.ts";
import * as scenarios from "../support/scenarios.ts";
import { testTls, trustInProcess } from "../support/tls.ts";
import {
  ATTEMPT,
  CLIENT,
  ENTRY,
  keysOf,
  kidsOf,
  refreshed,
  refreshedWell,
  refusal,
  watchedCache,
} from "./setup.ts";

let distrust: () => void;
before(async () => {
  distrust = trustInProcess((await testTls()).ca);
});
after(() => distrust());

describe("a process whose fetch was replaced", { concurrency: 3 }, () => {
  // gloo-net panics there, which ends the process.
  for (const form of ["gives what is no Response", "gives it at once", "throws at once"]) {
    test(`by one that ${form} has its failure told`, async () => {
      const child = join(import.meta.dirname, "replaced-fetch-child.ts");
      const { stdout } = await promisify(execFile)(process.execPath, [child, form]);
      assert.equal(stdout, "provider_unreachable\n");
    });
  }
});

test("published secrets are told of by every refresh, whatever tag the set has", async () => {
  await using provider = await startProvider();
  const leaked = keySet(testKey("rs256"));
  const set = { keys: [...leaked.keys, testKey("es256").privateJwk] };
  provider.respond("/jwks", scenarios.cached(set, { etag: '"leaked"' }));
  const setup = keysOf(provider);
  for (const outcome of ["refreshed", "unchanged"]) {
    const report = await refreshedWell(setup);
    assert.equal(report.outcome, outcome);
    assert.match(report.warnings[0] ?? "", /^SECRET PUBLISHED: the key `es256`/);
    assert.equal(report.keys.length, 2);
  }
  assert.equal(provider.requests.at(-1)?.headers["if-none-match"], undefined);
});

test("published secrets are told of where the cache could not be read, too", async () => {
  await using provider = await startProvider();
  provider.respond("/jwks", scenarios.set(testKey("rs256"), testKey("es256").privateJwk));
  const get = () => Promise.reject(new Error("away"));
  const { warnings } = await refreshedWell(keysOf(provider, { cache: { ...watchedCache(), get } }));
  assert.equal(warnings.length, 2);
  assert.match(warnings[0] ?? "", /^SECRET PUBLISHED: the key `es256`/);
  assert.equal(warnings[1], "whether there are keys from before is not known: away");
});

test("a slow refresh leaves alone what another has kept meanwhile", async () => {
  await using provider = await startProvider({ caching: { etag: '"old"' } });
  const cache = watchedCache();
  await refreshedWell(keysOf(provider, { cache }));
  // The slow one is told that the old set holds; by then the other one has the next set.
  provider.respond("/jwks", scenarios.delayed(600, scenarios.alwaysNotModified('"old"')));
  const slow = refreshedWell(keysOf(provider, { cache }));
  await new Promise((resolve) => setTimeout(resolve, 200));
  provider.rotate(testKey("rs256-next"));
  await refreshedWell(keysOf(provider, { cache }));
  const entry = cache.entries().get(ENTRY);
  const report = await slow;
  assert.match(report.warnings.join(), /newer keys meanwhile: they stay/);
  assert.equal(cache.entries().get(ENTRY), entry);
});

describe("a cache", () => {
  test("that fails while keys were read before it did: those are used, with a warning, until they are too old", async () => {
    await using provider = await startProvider();
    let now = Date.now();
    const inner = watchedCache();
    let fails = false;
    const get: typeof inner.get = async (key) => (fails ? Promise.reject(new Error("away")) : inner.get(key));
    const setup = keysOf(provider, { cache: { ...inner, get }, clock: () => now, maxStaleSeconds: 3600 });
    await refreshedWell(setup);
    assert.deepEqual(await kidsOf(setup), ["rs256"]);
    fails = true;
    assert.deepEqual(await kidsOf(setup), ["rs256"]);
    assert.match(setup.warnings.join(), /are used that were read last: away/);
    now += 3_700_000;
    await assert.rejects(setup.keys.get(CLIENT), /away/);
  });

  test("that parses what looks like JSON is told of, and costs the others nothing", async () => {
    await using provider = await startProvider();
    const inner = watchedCache();
    const parsing = {
      ...inner,
      // As some clients of Redis do.
      get: async (key: string) => {
        const text = await inner.get(key);
        return key === ENTRY && text !== null ? (JSON.parse(text) as string) : text;
      },
    };
    const setup = keysOf(provider, { cache: parsing });
    await refreshedWell(setup);
    assert.match((await refreshedWell(setup)).warnings.join(), /is not known: .*no text/);
    assert.equal((await refusal(setup.keys.get(CLIENT))).code, "cache_failed");
  });

  test("whose published set is gone gets it again, although nobody has to be asked", async () => {
    await using provider = await startProvider();
    const published: [string, number][] = [];
    const cache = {
      ...watchedCache(),
      publish: async (client: string, _: string, { ttlSeconds }: { ttlSeconds: number }) => {
        published.push([client, ttlSeconds]);
      },
    };
    const setup = keysOf(provider, { cache });
    await refreshedWell(setup);
    assert.deepEqual((await setup.keys.refresh({ onlyStale: true })).clients, []);
    assert.equal(provider.requests.length, 1);
    assert.deepEqual(published, [
      [CLIENT, 604_800],
      [CLIENT, 604_800],
    ]);
  });
});

test("an abort is no attempt of the provider's: no record of it is kept", async () => {
  await using provider = await startProvider();
  provider.respond("/jwks", scenarios.neverAnswers());
  const setup = keysOf(provider);
  const report = await refreshed(setup, { signal: AbortSignal.timeout(200) });
  assert.equal(report.error?.code, "aborted");
  assert.equal(setup.cache.entries().has(ATTEMPT), false);
});

test("what nobody can mean is refused with a code, and never by an accident of JavaScript or wasm", async () => {
  const bad = (options: unknown) => async () => createKeys(options as KeysOptions);
  const cache = watchedCache();
  const acme = { jwksUri: "https://acme.example/jwks", issuer: "https://acme.example" };
  const keys = createKeys({ providers: { acme }, cache });
  const cases: readonly (readonly [work: () => Promise<unknown>, code: string])[] = [
    [bad(undefined), "invalid_setting"],
    [bad({ cache }), "invalid_setting"],
    [bad({ providers: {} }), "invalid_setting"],
    [bad({ providers: {}, cache, timeoutSeconds: -5 }), "invalid_setting"],
    [bad({ providers: { acme: null }, cache }), "invalid_setting"],
    [bad({ providers: { acme: { issuer: 5 } }, cache }), "invalid_setting"],
    [bad({ providers: { acme: { jwksUri: ["https://x.example"] } }, cache }), "invalid_setting"],
    [bad({ providers: { acme: { ...acme, algorithms: "RS256" } }, cache }), "invalid_setting"],
    [bad({ providers: { acme: { ...acme, algorithms: ["none"] } }, cache }), "invalid_setting"],
    [bad({ providers: { acme: { ...acme, jwks: 1 } }, cache }), "unknown_setting"],
    [async () => keys.verifyIdToken("a.b.c", undefined as never), "unknown_provider"],
    [
      async () => keys.verifyIdToken("a.b.c", { provider: "acme", audience: "x", nonse: "y" } as never),
      "unknown_setting",
    ],
    [
      async () => keys.verifyIdToken("a.b.c", { provider: "acme", audience: "x", nonce: "" }),
      "invalid_setting",
    ],
    [async () => keys.verifyIdToken("a.b.c", { provider: "acme", audience: ["x", ""] }), "invalid_setting"],
    [async () => keys.refresh({ only: "acme" as never }), "invalid_setting"],
    [async () => parseKeySet({ keys: [] } as never), "invalid_setting"],
  ];
  for (const [work, code] of cases) assert.equal((await refusal(work())).code, code, String(work));
});

test("what a token says of itself stands in no message as it is", async () => {
  await using provider: Provider = await startProvider();
  const setup = keysOf({ jwksUri: provider.jwksUri(), issuer: provider.issuer });
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const header = encode({ alg: "x\n2026 ERROR \u001b[31m" });
  const { code, message } = await refusal(
    setup.keys.verifyIdToken(`${header}.${encode({})}.c2ln`, { provider: CLIENT, audience: "x" }),
  );
  assert.equal(code, "token_algorithm");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
  assert.doesNotMatch(message, /[\u0000-\u001f]/);
});
