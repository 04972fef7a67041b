// Whatever a provider does wrong, the keys of before stay, and it ends.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type ClientReport, createKeys, type ErrorCode } from "idp-janitor";
import { eventually } from "../support/asking.ts";
import { ODD_KEYS, oddKey } from "../support/fixtures.ts";
import { keySet, testKey } from "../support/keys.ts";
import { type Provider, startProvider } from "../support/provider.ts";
import * as scenarios from "../support/scenarios.ts";
import { type CertificateKind, testTls, trustInProcess } from "../support/tls.ts";
import {
  ATTEMPT,
  CLIENT,
  ENTRY,
  keysOf,
  kidsOf,
  refreshed,
  refreshedWell,
  type Setup,
  WAYS,
} from "./setup.ts";

after(trustInProcess((await testTls()).ca));

const MIB = 1024 * 1024;
const SERVED = "rs256";
/** Beyond its time a refresh may take this long on a busy machine. */
const GRACE_MS = 1500;

interface Expected {
  readonly code: ErrorCode;
  /** Requests made, with one retry where the fault may be over in a moment; 1 by default. */
  readonly requests?: number;
}

/** What each of the catalogue leads to. */
const EXPECTED: Readonly<Record<keyof typeof scenarios.FAULTS, Expected>> = {
  "404": { code: "provider_status" },
  "410": { code: "provider_status" },
  // It asks for more patience than there is.
  "429": { code: "provider_status" },
  "500": { code: "provider_status", requests: 2 },
  "503": { code: "provider_status", requests: 2 },
  "503 with Retry-After": { code: "provider_status" },
  "503 with Retry-After in another form": { code: "provider_status", requests: 1 },
  "503 with a Retry-After of nonsense": { code: "provider_status", requests: 1 },
  HTML: { code: "key_set_not_json" },
  "an empty set": { code: "key_set_empty" },
  "no keys": { code: "key_set_malformed" },
  "keys of another name": { code: "key_set_malformed" },
  "keys is an object": { code: "key_set_malformed" },
  "keys is null": { code: "key_set_malformed" },
  "a list": { code: "key_set_malformed" },
  "a bare key": { code: "key_set_malformed" },
  "a string": { code: "key_set_malformed" },
  null: { code: "key_set_malformed" },
  "no key but a number": { code: "key_set_unusable" },
  nothing: { code: "key_set_not_json" },
  "two documents": { code: "key_set_not_json" },
  "not UTF-8": { code: "key_set_not_json" },
  "64 MiB in chunks": { code: "provider_too_large" },
  "64 MiB": { code: "provider_too_large" },
  "a gzip bomb": { code: "provider_too_large" },
  "deep brackets": { code: "key_set_too_deep" },
  "deep brackets elsewhere": { code: "key_set_too_deep" },
  "cut off": { code: "provider_unreachable", requests: 2 },
  "cut off in a chunk": { code: "provider_unreachable", requests: 2 },
  "cut off without a length": { code: "key_set_not_json" },
  "304 unasked": { code: "provider_status" },
  "hung up": { code: "provider_unreachable", requests: 2 },
  "a redirect loop": { code: "provider_redirect", requests: 6 },
  "redirects without an end": { code: "provider_redirect", requests: 6 },
  "a redirect to http": { code: "provider_redirect" },
  "a redirect elsewhere": { code: "provider_redirect" },
  "no answer": { code: "provider_timeout" },
  "no body": { code: "provider_timeout" },
  "a byte a second": { code: "provider_timeout" },
};

/** More answers that are none, beyond the catalogue. */
const MORE: Readonly<Record<string, Expected & { readonly scenario: scenarios.Scenario }>> = {
  "nothing with 204": { scenario: scenarios.status(204), code: "provider_status" },
  "a set with 206": {
    scenario: scenarios.json(keySet(testKey("rs256-next")), { status: 206 }),
    code: "provider_status",
  },
  // Nobody waits for the end of what nobody reads.
  "a body without an end with 206": { scenario: endless(206), code: "provider_status" },
  "a body without an end with 404": { scenario: endless(404), code: "provider_status" },
  "a set with 401": {
    scenario: scenarios.json(keySet(testKey("rs256-next")), { status: 401 }),
    code: "provider_status",
  },
  "a byte more than a MiB": { scenario: scenarios.large("chunked", MIB + 1), code: "provider_too_large" },
  "101 keys": { scenario: scenarios.manyKeys(101), code: "key_set_too_many_keys" },
  "leaked private keys": {
    scenario: scenarios.leakedSet(testKey("rs256-next"), testKey("es256"), testKey("eddsa")),
    code: "key_set_unusable",
  },
  "weak keys": {
    scenario: scenarios.set(testKey("rsa-1024"), oddKey("rsa-2047"), oddKey("rsa-e-1")),
    code: "key_set_unusable",
  },
  "a redirect to nowhere": { scenario: scenarios.redirectNowhere(), code: "provider_redirect" },
  "a redirect to a file": { scenario: scenarios.redirect("file:///etc/passwd"), code: "provider_redirect" },
  "a redirect to what is no address": {
    scenario: scenarios.redirect("https://localhost:99999/"),
    code: "provider_redirect",
  },
  "a redirect with a password": {
    scenario: ({ request, response }) => {
      response.writeHead(302, { location: `https://me:secret@${request.headers.host}/other` }).end();
    },
    code: "provider_redirect",
  },
  "a redirect to the same host on another port": {
    scenario: scenarios.redirect("https://localhost:1/jwks"),
    code: "provider_redirect",
  },
  "a redirect without a scheme": {
    scenario: scenarios.redirect("//elsewhere.invalid/jwks"),
    code: "provider_redirect",
  },
};

/** An answer that begins and goes on for ever. */
function endless(status: number): scenarios.Handler {
  return ({ response }) => void response.writeHead(status).write("and so on");
}

/** Odd keys that are no more than unusual, and therefore used. */
const USABLE = ["rsa-e-3", "rsa-n-with-leading-zero"];
const ONLY_ODD = Object.keys(ODD_KEYS).filter((name) => !USABLE.includes(name));

/** Refreshes well, lets something go wrong, refreshes again, and looks at what that has changed. */
async function fails(
  setup: Setup,
  provider: Provider,
  seconds: number,
  goesWrong: () => void | Promise<void>,
  { code, requests = 1 }: Expected,
): Promise<ClientReport> {
  const before = await refreshedWell(setup);
  const entry = setup.cache.entries().get(ENTRY);
  const given = await setup.keys.get(CLIENT);
  await goesWrong();
  // What fails within the millisecond of a success is not known to be later.
  await sleep(2);
  const [asked, written] = [provider.requests.length, setup.cache.writes.length];

  const began = performance.now();
  const report = await refreshed(setup);
  const took = performance.now() - began;
  assert.equal(report.error?.code, code, report.error?.message);
  assert.ok(took < seconds * 1000 + GRACE_MS, `${took} ms`);
  assert.equal(provider.requests.length - asked, requests, "requests");
  await eventually("no exchange is left", () => provider.exchanges.now === 0);
  for (const { bytesSent } of provider.requests.slice(asked)) {
    assert.ok(bytesSent < 8 * MIB, `${bytesSent} bytes were sent`);
  }

  assert.equal(report.outcome, "failed");
  assert.deepEqual([report.added, report.removed, report.changed], [[], [], []]);
  const { keys, freshUntil, usableUntil } = before;
  assert.deepEqual([report.keys, report.freshUntil, report.usableUntil], [keys, freshUntil, usableUntil]);
  assert.deepEqual(report.warnings, [`the keys of before stay and are used until ${usableUntil}`]);

  assert.equal(setup.cache.entries().get(ENTRY), entry, "the entry is as it was, byte by byte");
  assert.deepEqual(setup.cache.writes.slice(written), [`put ${ATTEMPT}`]);
  assert.deepEqual(await setup.keys.get(CLIENT), given);
  assert.equal(provider.requests.length - asked, requests, "reading asks for nothing");
  const [status] = await setup.keys.status();
  assert.deepEqual([status?.state, status?.lastFailure?.code], ["fresh", code]);
  assert.deepEqual(setup.warnings, []);
  return report;
}

for (const [way, fetch] of Object.entries(WAYS)) {
  describe(`what a provider does wrong, by ${way}`, { concurrency: 8 }, () => {
    test("the table has every fault of the catalogue", () => {
      assert.deepEqual(Object.keys(EXPECTED).sort(), Object.keys(scenarios.FAULTS).sort());
    });

    for (const [name, expected] of Object.entries(EXPECTED)) {
      test(`${name}: ${expected.code}`, async () => {
        const { scenario, hangs = false } = scenarios.FAULTS[name] ?? assert.fail(name);
        // A 304 is an answer to who has sent the tag of what it has.
        await using provider = await startProvider({ caching: { etag: null } });
        const timeoutSeconds = hangs ? 1 : 10;
        const setup = keysOf(provider, { timeoutSeconds, retries: 1, ...fetch });
        await fails(setup, provider, timeoutSeconds, () => provider.respond("/jwks", scenario), expected);
        assert.deepEqual(await kidsOf(setup), [SERVED]);
      });
    }

    for (const [name, { scenario, ...expected }] of Object.entries(MORE)) {
      test(`${name}: ${expected.code}`, async () => {
        await using provider = await startProvider();
        const setup = keysOf(provider, { timeoutSeconds: 10, retries: 1, ...fetch });
        await fails(setup, provider, 10, () => provider.respond("/jwks", scenario), expected);
      });
    }

    for (const certificate of ["untrusted", "wrong-name", "expired"] satisfies CertificateKind[]) {
      test(`a certificate that is ${certificate}: provider_unreachable, and nothing asked`, async () => {
        const good = await startProvider();
        const port = Number(new URL(good.origin).port);
        let bad: Provider | undefined;
        const setup = keysOf(good, { timeoutSeconds: 10, retries: 1, ...fetch });
        try {
          await fails(
            setup,
            good,
            10,
            async () => {
              await good.close();
              bad = await startProvider({ port, certificate });
            },
            { code: "provider_unreachable", requests: 0 },
          );
          assert.deepEqual([bad?.requests.length, bad?.connections.total], [0, 2]);
        } finally {
          await bad?.close();
        }
      });
    }

    for (const [front, code] of [
      ["plain", "provider_unreachable"],
      ["reset", "provider_unreachable"],
      ["silent", "provider_timeout"],
    ] as const) {
      test(`a port that is ${front}: ${code}`, async () => {
        await using provider = await startProvider();
        const setup = keysOf(provider, { timeoutSeconds: 1, retries: 1, ...fetch });
        const goesWrong = async () => {
          provider.front = front;
          provider.hangUp();
          await eventually("the connections end", () => provider.connections.now === 0);
        };
        await fails(setup, provider, 1, goesWrong, { code, requests: 0 });
      });
    }

    test("the report says why a provider could not be reached, as far as it is told", async () => {
      await using untrusted = await startProvider({ certificate: "expired" });
      const closed = await startProvider();
      await closed.close();
      for (const [provider, why] of [
        [untrusted, /certificate has expired/],
        [closed, /ECONNREFUSED/],
      ] as const) {
        const { error } = await refreshed(keysOf(provider, { retries: 0, ...fetch }));
        // gloo-net has the message of an error alone, and not its cause.
        assert.match(
          error?.message ?? "",
          way === "gloo-net" ? /could not be reached: .*fetch failed$/ : why,
        );
      }
    });

    test("a port where nobody listens: provider_unreachable", async () => {
      await using provider = await startProvider();
      const setup = keysOf(provider, { timeoutSeconds: 10, retries: 1, ...fetch });
      await fails(setup, provider, 10, () => provider.close(), { code: "provider_unreachable", requests: 0 });
    });
  });

  describe(`what a discovery document has wrong, by ${way}`, { concurrency: 8 }, () => {
    const DOCUMENT = "/.well-known/openid-configuration";
    const wrong = scenarios.wrongDiscoveries("https://localhost");
    const issuers = Object.keys(wrong).filter((name) => /issuer (with|in|below)|another issuer/.test(name));

    const cases: [name: string, (provider: Provider) => scenarios.Scenario | undefined, Expected][] = [
      ...Object.keys(wrong).map((name): (typeof cases)[number] => [
        name,
        ({ origin }) => scenarios.wrongDiscoveries(origin)[name],
        { code: issuers.includes(name) ? "discovery_issuer" : "discovery_malformed" },
      ]),
      ["HTML", () => scenarios.html(), { code: "discovery_malformed" }],
      ["a key set", () => scenarios.json(keySet(testKey("rs256-next"))), { code: "discovery_malformed" }],
      ["deep brackets", () => scenarios.nested(), { code: "discovery_malformed" }],
      ["64 MiB", () => scenarios.large(), { code: "provider_too_large" }],
      ["cut off", () => scenarios.cutOff(), { code: "provider_unreachable", requests: 2 }],
      ["404", () => scenarios.status(404), { code: "provider_status" }],
      ["503", () => scenarios.status(503), { code: "provider_status", requests: 2 }],
      ["304 unasked", () => scenarios.alwaysNotModified(), { code: "provider_status" }],
      ["a redirect loop", () => scenarios.redirectLoop(), { code: "provider_redirect", requests: 6 }],
      ["a redirect to http", () => scenarios.redirect("http://localhost:9/"), { code: "provider_redirect" }],
      [
        "a key set that is not there",
        ({ origin }) => scenarios.discovery({ issuer: origin, jwksUri: `${origin}/nowhere` }),
        { code: "provider_status", requests: 2 },
      ],
      [
        "a jwks_uri that is no address",
        ({ origin }) => scenarios.discovery({ issuer: origin, jwksUri: "https://[/" }),
        { code: "provider_unreachable" },
      ],
    ];

    for (const [name, scenario, expected] of cases) {
      test(`${name}: ${expected.code}`, async () => {
        await using provider = await startProvider();
        const setup = keysOf({ issuer: provider.issuer }, { timeoutSeconds: 10, retries: 1, ...fetch });
        const goesWrong = () => provider.respond(DOCUMENT, scenario(provider) ?? assert.fail(name));
        await fails(setup, provider, 10, goesWrong, expected);
      });
    }

    test("a document that never comes: provider_timeout", async () => {
      await using provider = await startProvider();
      const setup = keysOf({ issuer: provider.issuer }, { timeoutSeconds: 1, ...fetch });
      const goesWrong = () => provider.respond(DOCUMENT, scenarios.neverAnswers());
      await fails(setup, provider, 1, goesWrong, { code: "provider_timeout" });
    });
  });
}

describe("what no way changes", () => {
  test("a set of one odd key alone, whatever is odd about it: key_set_unusable", async () => {
    await using provider = await startProvider();
    for (const name of ONLY_ODD) {
      provider.rotate(testKey("rs256"));
      const setup = keysOf(provider);
      const goesWrong = () => provider.respond("/jwks", scenarios.onlyOdd(name));
      const report = await fails(setup, provider, 30, goesWrong, { code: "key_set_unusable" });
      // What is wrong with it stands there by name.
      assert.match(report.error?.message ?? "", /^none of the 1 keys of the set can be used: /, name);
    }
    assert.ok(ONLY_ODD.length > 40);
  });

  test("without keys from before a failure says so, and tokens are refused", async () => {
    await using provider = await startProvider();
    provider.respond("/jwks", scenarios.emptySet());
    const setup = keysOf(provider);
    const report = await refreshed(setup);
    assert.deepEqual([report.outcome, report.error?.code, report.keys], ["failed", "key_set_empty", []]);
    assert.deepEqual([report.freshUntil, report.usableUntil], [undefined, undefined]);
    assert.match(report.warnings.join(), /no keys from before .* refused/);
    assert.deepEqual([...setup.cache.entries().keys()], [ATTEMPT]);
    const [status] = await setup.keys.status();
    assert.deepEqual(
      [status?.state, status?.keys, status?.lastFailure?.code],
      ["missing", [], "key_set_empty"],
    );
  });

  test("the next success ends it: other keys, and no failure any more", async () => {
    await using provider = await startProvider();
    const setup = keysOf(provider);
    await fails(setup, provider, 30, () => provider.respond("/jwks", scenarios.html()), {
      code: "key_set_not_json",
    });
    provider.rotate(testKey("rs256-next"));
    const report = await refreshedWell(setup);
    assert.deepEqual([report.outcome, report.added, report.removed], ["refreshed", ["rs256-next"], [SERVED]]);
    const [status] = await setup.keys.status();
    assert.deepEqual([status?.state, status?.lastFailure], ["fresh", undefined]);
  });

  test("one that fails does not keep the others from being refreshed", async () => {
    await using provider = await startProvider();
    provider.respond("/broken", scenarios.status(500));
    provider.respond("/silent", scenarios.neverAnswers());
    const { cache } = keysOf(provider);
    const uri = (path: string) => ({ jwksUri: provider.jwksUri(path) });
    const providers = { broken: uri("/broken"), silent: uri("/silent"), good: uri("/jwks") };
    const keys = createKeys({ providers, cache, timeoutSeconds: 1, retries: 0, concurrency: 1 });
    const { clients } = await keys.refresh();
    assert.deepEqual(
      clients.map(({ client, outcome, error }) => [client, outcome, error?.code]),
      [
        ["broken", "failed", "provider_status"],
        ["silent", "failed", "provider_timeout"],
        ["good", "refreshed", undefined],
      ],
    );
  });

  test("secrets of a leaked set are nowhere in what is told and kept", async () => {
    await using provider = await startProvider();
    const leaked = [testKey("rs256-next"), testKey("es256"), testKey("eddsa")];
    const secrets = leaked.flatMap(({ privateJwk: { d, p, q } }) => [d, p, q]).filter((value) => value);
    assert.equal(secrets.length, 5);
    const setup = keysOf(provider);
    for (const beside of [[], [testKey("rs256").publicJwk]]) {
      provider.respond("/jwks", scenarios.set(...leaked.map((key) => key.privateJwk), ...beside));
      const report = await refreshed(setup);
      assert.equal(report.outcome, beside.length === 0 ? "failed" : "refreshed");
      const known = JSON.stringify([report, [...setup.cache.entries()], await setup.keys.status()]);
      for (const secret of secrets) assert.ok(!known.includes(String(secret)));
      assert.match(known, beside.length === 0 ? /private half is published/ : /SECRET PUBLISHED/);
    }
    assert.deepEqual(await kidsOf(setup), [SERVED]);
  });
});
