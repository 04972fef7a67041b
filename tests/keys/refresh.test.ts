// What a host can ask of a refresh, and what it is told; where keys are found; when it is tried again.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createKeys, type Fetch, JanitorError, type KeyReport } from "idp-janitor";
import { eventually } from "../support/asking.ts";
import { testKey } from "../support/keys.ts";
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
  WAYS,
  type WatchedCache,
  watchedCache,
} from "./setup.ts";

after(trustInProcess((await testTls()).ca));

const DOCUMENT = "/.well-known/openid-configuration";

const pathsOf = (provider: Provider) => provider.requests.map(({ path }) => path);

/** Keys of the clients `a`, `b` and `c` of one provider, each with a path of its own. */
function three(
  provider: Provider,
  options: { clock?: () => number; cache?: WatchedCache; fetch?: Fetch } = {},
) {
  const { cache = watchedCache(options.clock) } = options;
  const providers = Object.fromEntries(
    ["a", "b", "c"].map((client) => [client, { jwksUri: provider.jwksUri(`/${client}`) }]),
  );
  for (const client of ["a", "b", "c"])
    provider.respond(`/${client}`, scenarios.set(testKey("rs256", client)));
  return { keys: createKeys({ providers, ...options, cache }), cache };
}

const outcomesOf = ({ clients }: KeyReport) => clients.map(({ client, outcome }) => `${client} ${outcome}`);

for (const [way, fetch] of Object.entries(WAYS)) {
  describe(`where keys are found, by ${way}`, () => {
    test("at an address, by a request that says what it wants and nothing more", async () => {
      await using provider = await startProvider();
      const jwksUri = `${provider.origin}/jwks?tenant=1`;
      assert.equal((await refreshedWell(keysOf({ jwksUri }, fetch))).uri, jwksUri);
      const [asked] = provider.requests;
      assert.deepEqual([asked?.method, asked?.path], ["GET", "/jwks?tenant=1"]);
      assert.equal(asked?.headers.accept, "application/json");
      assert.deepEqual([asked?.headers.cookie, asked?.headers.authorization], [undefined, undefined]);
    });

    test("at an address in capitals, from where it redirects within what is one origin after all", async () => {
      await using provider = await startProvider();
      provider.respond("/moved", scenarios.redirect("/jwks"));
      const jwksUri = provider.jwksUri("/moved").replace("https://localhost", "HTTPS://LOCALHOST");
      assert.equal((await refreshedWell(keysOf({ jwksUri }, fetch))).uri, provider.jwksUri());
    });

    test("by the discovery document of an issuer, which is asked each time", async () => {
      await using provider = await startProvider();
      const setup = keysOf({ issuer: provider.issuer }, fetch);
      const report = await refreshedWell(setup);
      assert.deepEqual([report.outcome, report.uri], ["refreshed", provider.jwksUri()]);
      assert.deepEqual(pathsOf(provider), [DOCUMENT, "/jwks"]);
      assert.equal((await refreshedWell(setup)).outcome, "unchanged");
      const tags = provider.requests.map(({ headers }) => headers["if-none-match"] !== undefined);
      assert.deepEqual(tags, [false, false, false, true]);
    });

    test("by the document of an issuer with a path, with and without a slash at its end", async () => {
      await using provider = await startProvider();
      const issuer = provider.addIssuer("/tenant", testKey("es256"));
      const setup = keysOf({ issuer }, fetch);
      await refreshedWell(setup);
      assert.deepEqual(await kidsOf(setup), ["es256"]);
      const slashed = `${provider.origin}/tenant/`;
      const jwksUri = `${provider.origin}/tenant/jwks`;
      provider.respond(`/tenant${DOCUMENT}`, scenarios.discovery({ issuer: slashed, jwksUri }));
      await refreshedWell(keysOf({ issuer: slashed }, fetch));
      assert.deepEqual(pathsOf(provider).slice(2), [`/tenant${DOCUMENT}`, "/tenant/jwks"]);
    });

    test("on another origin, where the document of the issuer says so", async () => {
      await using provider = await startProvider();
      await using other = await startProvider({ keys: [testKey("es256")] });
      const { issuer } = provider;
      provider.respond(DOCUMENT, scenarios.discovery({ issuer, jwksUri: other.jwksUri() }));
      assert.equal((await refreshedWell(keysOf({ issuer }, fetch))).uri, other.jwksUri());
    });

    test("nothing is discovered where both are configured", async () => {
      await using provider = await startProvider();
      await refreshedWell(keysOf({ issuer: provider.issuer, jwksUri: provider.jwksUri() }, fetch));
      assert.deepEqual(pathsOf(provider), ["/jwks"]);
    });

    test("redirects within the origin are followed, up to five", async () => {
      await using provider = await startProvider();
      for (const status of scenarios.REDIRECTS) {
        const hops = Array.from({ length: 5 }, (_, at) => `/hop-${status}-${at}`);
        for (const [at, hop] of hops.entries()) {
          const next = hops[at + 1] ?? "/jwks";
          // Relative, by a path, and whole.
          const location = [next.slice(1), next, provider.origin + next][at % 3] ?? next;
          provider.respond(hop, scenarios.redirect(location, status));
        }
        const [first = ""] = hops;
        const { uri } = await refreshedWell(keysOf({ jwksUri: provider.jwksUri(first) }, fetch));
        assert.equal(uri, provider.jwksUri());
        assert.deepEqual(pathsOf(provider).slice(-6), [...hops, "/jwks"]);
        provider.respond("/one-more", scenarios.redirect(first, status));
        const { error } = await refreshed(keysOf({ jwksUri: provider.jwksUri("/one-more") }, fetch));
        assert.equal(error?.code, "provider_redirect");
      }
    });

    test("a document that has moved, to keys that have moved: five each", async () => {
      await using provider = await startProvider();
      const { issuer, origin } = provider;
      const moved = scenarios.discovery({ issuer, jwksUri: `${origin}/keys-0` });
      for (let at = 0; at < 5; at += 1) {
        provider.respond(at === 0 ? DOCUMENT : `/document-${at}`, scenarios.redirect(`/document-${at + 1}`));
        provider.respond(`/keys-${at}`, scenarios.redirect(at === 4 ? "/jwks" : `/keys-${at + 1}`));
      }
      provider.respond("/document-5", moved);
      await refreshedWell(keysOf({ issuer }, fetch));
      assert.equal(provider.requests.length, 12);
    });
  });

  describe(`what is over in a moment, by ${way}`, { concurrency: 4 }, () => {
    for (const code of [408, 425, 429, 500, 502, 503, 504]) {
      test(`${code}, then 200: refreshed by the second request`, async () => {
        await using provider = await startProvider();
        provider.respond("/jwks", scenarios.inTurn(scenarios.status(code), scenarios.set(testKey("es256"))));
        assert.equal((await refreshedWell(keysOf(provider, fetch))).outcome, "refreshed");
        assert.equal(provider.requests.length, 2);
        const [first, second] = provider.requests.map(({ at }) => at);
        const pause = (second ?? 0) - (first ?? 0);
        assert.ok(pause >= 120 && pause < 1500, `${pause} ms`);
      });
    }

    for (const code of [400, 401, 403, 404, 410, 501]) {
      test(`${code} is not over in a moment: one request`, async () => {
        await using provider = await startProvider();
        provider.respond("/jwks", scenarios.status(code));
        assert.equal((await refreshed(keysOf(provider, fetch))).error?.code, "provider_status");
        assert.equal(provider.requests.length, 1);
      });
    }

    test("a connection that breaks is made again, and pauses grow", async () => {
      await using provider = await startProvider();
      const broken = scenarios.hangsUp();
      provider.respond("/jwks", scenarios.inTurn(broken, broken, broken, scenarios.set(testKey("es256"))));
      await refreshedWell(keysOf(provider, fetch));
      const at = provider.requests.map((asked) => asked.at);
      const pauses = at.slice(1).map((time, index) => time - (at[index] ?? 0));
      for (const [index, pause] of pauses.entries()) {
        const least = 125 * 2 ** index;
        assert.ok(pause >= least - 5 && pause < 2 * least + 500, `${pauses} ms`);
      }
      assert.equal(pauses.length, 3);
    });

    test("a body that is cut off is asked for again", async () => {
      await using provider = await startProvider();
      provider.respond("/jwks", scenarios.inTurn(scenarios.cutOff(), scenarios.set(testKey("es256"))));
      assert.equal((await refreshedWell(keysOf(provider, fetch))).outcome, "refreshed");
    });

    test("Retry-After is waited for", async () => {
      await using provider = await startProvider();
      provider.respond("/jwks", scenarios.inTurn(scenarios.status(503, 1), scenarios.set(testKey("es256"))));
      await refreshedWell(keysOf(provider, fetch));
      const [first, second] = provider.requests.map(({ at }) => at);
      const pause = (second ?? 0) - (first ?? 0);
      assert.ok(pause >= 995 && pause < 2500, `${pause} ms`);
    });

    for (const retries of [0, 2]) {
      test(`${retries} retries are ${retries + 1} requests`, async () => {
        await using provider = await startProvider();
        provider.respond("/jwks", scenarios.status(503));
        assert.equal(
          (await refreshed(keysOf(provider, { retries, ...fetch }))).error?.code,
          "provider_status",
        );
        assert.equal(provider.requests.length, retries + 1);
      });
    }
  });

  describe(`a signal, by ${way}`, () => {
    test("ends what is in hand and what was to come: aborted, and the keys stay", async () => {
      await using provider = await startProvider();
      const { keys, cache } = three(provider, fetch);
      const { signal, abort } = abortable();
      await keys.refresh();
      const before = [...cache.entries()];
      provider.respond("/a", scenarios.neverAnswers());
      provider.respond("/b", scenarios.headersOnly());
      provider.respond("/c", scenarios.status(503, 20));
      const refreshing = keys.refresh({ signal });
      await eventually("all are asked", () => provider.requests.length === 6);
      await sleep(20);
      const began = performance.now();
      abort();
      const { clients } = await refreshing;
      assert.ok(performance.now() - began < 1500);
      assert.deepEqual(
        clients.map(({ client, outcome, error, keys }) => [client, outcome, error?.code, keys.length]),
        ["a", "b", "c"].map((client) => [client, "failed", "aborted", 1]),
      );
      await eventually("nothing is under way", () => provider.exchanges.now === 0);
      for (const [key, value] of before) assert.equal(cache.entries().get(key), value);
    });

    test("that was given before asks for nothing", async () => {
      await using provider = await startProvider();
      const { signal, abort } = abortable();
      abort();
      const setup = keysOf(provider, fetch);
      const { error } = await refreshed(setup, { signal });
      assert.equal(error?.code, "aborted");
      await sleep(20);
      assert.deepEqual([provider.requests.length, provider.connections.total], [0, 0]);
    });

    test("that comes afterwards changes nothing, and is not held on to", async () => {
      await using provider = await startProvider();
      const { signal, abort, listeners } = abortable();
      assert.equal((await refreshedWell(keysOf(provider, fetch), { signal })).outcome, "refreshed");
      assert.equal(listeners(), 0);
      abort();
    });

    /** A signal with a reason that is text, as hosts have them, that counts its listeners. */
    function abortable() {
      const controller = new AbortController();
      const { signal } = controller;
      let listeners = 0;
      const add = signal.addEventListener.bind(signal);
      const remove = signal.removeEventListener.bind(signal);
      signal.addEventListener = (...args: Parameters<typeof add>) => {
        listeners += 1;
        add(...args);
      };
      signal.removeEventListener = (...args: Parameters<typeof remove>) => {
        listeners -= 1;
        remove(...args);
      };
      return { signal, abort: () => controller.abort("by the host"), listeners: () => listeners };
    }
  });
}

describe("a host's fetch that follows redirects although it is told not to", () => {
  const follows: Fetch = (url, { redirect: _told, ...init }) => fetch(url, init);

  test("within the origin: the keys are asked for where it led, and believed", async () => {
    await using provider = await startProvider();
    provider.respond("/moved", scenarios.redirect("/jwks"));
    const setup = keysOf({ jwksUri: provider.jwksUri("/moved") }, { fetch: follows });
    assert.equal((await refreshedWell(setup)).uri, provider.jwksUri());
    assert.deepEqual(pathsOf(provider), ["/moved", "/jwks", "/jwks"]);
  });

  test("elsewhere: what it found there is not believed", async () => {
    await using provider = await startProvider();
    await using other = await startProvider({ keys: [testKey("rs256-next")] });
    const setup = keysOf(provider, { fetch: follows });
    await refreshedWell(setup);
    provider.respond("/jwks", scenarios.redirect(other.jwksUri()));
    assert.equal((await refreshed(setup)).error?.code, "provider_redirect");
    assert.deepEqual(await kidsOf(setup), ["rs256"]);
  });

  test("to http: no more than elsewhere", async () => {
    await using provider = await startProvider();
    await using plain = await startProvider({ front: "plain" });
    provider.respond("/jwks", scenarios.redirect(plain.jwksUri()));
    assert.equal((await refreshed(keysOf(provider, { fetch: follows }))).error?.code, "provider_redirect");
  });
});

describe("a host's fetch that is odd", () => {
  const URI = "https://provider.example/jwks";
  const good = JSON.stringify({ keys: [testKey("rs256").publicJwk] });

  for (const [name, odd, code] of [
    ["throws what is no error", () => Promise.reject("no"), "provider_unreachable"],
    [
      "throws at once",
      () => {
        throw new TypeError("no");
      },
      "provider_unreachable",
    ],
    ["answers with an error", async () => Response.error(), "provider_redirect"],
    ["answers without a body", async () => new Response(null), "key_set_not_json"],
    ["has a body that breaks", async () => new Response(breaking()), "provider_unreachable"],
    [
      "cannot cancel what nobody reads",
      async () => new Response(breaking(), { status: 404 }),
      "provider_status",
    ],
  ] satisfies [string, Fetch, string][]) {
    test(`${name}: ${code}`, async () => {
      assert.equal((await refreshed(keysOf({ jwksUri: URI }, { fetch: odd, retries: 0 }))).error?.code, code);
    });
  }

  test("is given what it needs, and not what the caller keeps", async () => {
    const given: Parameters<Fetch>[] = [];
    const record: Fetch = async (...args) => {
      given.push(args);
      return new Response(good, { headers: { etag: '"1"' } });
    };
    const setup = keysOf({ jwksUri: URI }, { fetch: record });
    for (let time = 0; time < 2; time += 1) await refreshedWell(setup);
    const accept = "application/json";
    assert.deepEqual(
      given.map(([url, { headers, redirect }]) => [url, headers, redirect]),
      [
        [URI, { accept }, "manual"],
        [URI, { accept, "if-none-match": '"1"' }, "manual"],
      ],
    );
    // When it is over, so is whatever the host still does for it.
    assert.deepEqual(
      given.map(([, { signal }]) => signal.aborted),
      [true, true],
    );
  });

  function breaking(): ReadableStream {
    return new ReadableStream({
      pull: (controller) => controller.error(new Error("broken")),
      cancel: () => Promise.reject(new Error("not now")),
    });
  }
});

describe("which clients", () => {
  test("all of them, in the order of the configuration; or only those that are named", async () => {
    await using provider = await startProvider();
    const { keys } = three(provider);
    assert.deepEqual(outcomesOf(await keys.refresh({ only: ["c", "a"] })), ["c refreshed", "a refreshed"]);
    assert.deepEqual(outcomesOf(await keys.refresh()), ["a unchanged", "b refreshed", "c unchanged"]);
    assert.deepEqual(outcomesOf(await keys.refresh({ only: [] })), []);
  });

  test("one that is not there is refused before anything is asked for", async () => {
    await using provider = await startProvider();
    const { keys } = three(provider);
    for (const work of [keys.refresh({ only: ["a", "d"] }), keys.get("d")]) {
      const { code, message } = await refusal(work);
      assert.deepEqual([code, message.includes("`d`")], ["unknown_provider", true]);
    }
    assert.throws(() => keys.resolver("d"), { name: "JanitorError", code: "unknown_provider" });
    for (const name of ["__proto__", "toString", ""])
      assert.equal((await refusal(keys.get(name))).code, "unknown_provider");
    assert.equal(provider.requests.length, 0);
  });

  test("only those that are not fresh any more", async () => {
    let now = Date.UTC(2026, 5, 1);
    await using provider = await startProvider();
    const { keys } = three(provider, { clock: () => now });
    await keys.refresh({ only: ["a"] });
    assert.deepEqual(outcomesOf(await keys.refresh({ onlyStale: true })), ["b refreshed", "c refreshed"]);
    assert.deepEqual(outcomesOf(await keys.refresh({ onlyStale: true })), []);
    provider.respond("/b", scenarios.status(404));
    now += 301_000;
    const later = await keys.refresh({ onlyStale: true, only: ["a", "b"] });
    assert.deepEqual(outcomesOf(later), ["a unchanged", "b failed"]);
    assert.deepEqual(outcomesOf(await keys.refresh({ onlyStale: true })), ["b failed", "c unchanged"]);
  });

  test("the host is told when each begins", async () => {
    await using provider = await startProvider();
    const { keys } = three(provider);
    const told: string[] = [];
    await keys.refresh({ onClient: (client, uri) => void told.push(`${client} ${new URL(uri).pathname}`) });
    assert.deepEqual(told, ["a /a", "b /b", "c /c"]);
    const discovered: string[] = [];
    const { issuer } = provider;
    await keysOf({ issuer }).keys.refresh({ onClient: (client, uri) => void discovered.push(client, uri) });
    assert.deepEqual(discovered, [CLIENT, issuer]);
  });

  test("an option that does not exist is refused", async () => {
    await using provider = await startProvider();
    const { keys } = three(provider);
    // @ts-expect-error: misspelt
    const { code, message } = await refusal(keys.refresh({ onlyStal: true }));
    assert.deepEqual([code, /did you mean `onlyStale`/.test(message)], ["unknown_setting", true]);
  });
});

describe("a cache that fails", () => {
  const failing = (operations: readonly (keyof WatchedCache)[], how: () => never): WatchedCache => {
    const cache = watchedCache();
    return { ...cache, ...Object.fromEntries(operations.map((name) => [name, async () => how()])) };
  };
  const cacheFails = () => {
    throw new JanitorError("cache_failed", "the cache is full");
  };

  for (const [name, how, message] of [
    ["as it should", cacheFails, "the cache is full"],
    [
      "as it should not",
      () => {
        throw new Error("disk full");
      },
      /disk full/,
    ],
  ] as const) {
    test(`to keep, ${name}: the client has failed, and nothing else is told`, async () => {
      await using provider = await startProvider();
      const report = await refreshed(keysOf(provider, { cache: failing(["put"], how) }));
      assert.deepEqual(
        { ...report, error: { ...report.error, message: "" } },
        {
          client: CLIENT,
          uri: provider.jwksUri(),
          outcome: "failed",
          ...{ keys: [], added: [], removed: [], changed: [] },
          error: { code: "cache_failed", message: "" },
          warnings: [],
        },
      );
      if (typeof message === "string") assert.equal(report.error?.message, message);
      else assert.match(report.error?.message ?? "", message);
    });
  }

  test("to keep the record of a failure: the failure is told, and that it was not kept", async () => {
    await using provider = await startProvider();
    provider.respond("/jwks", scenarios.html());
    const report = await refreshed(keysOf(provider, { cache: failing(["put"], cacheFails) }));
    assert.equal(report.error?.code, "key_set_not_json");
    assert.equal(report.warnings.at(-1), "the cache is full");
  });

  test("to publish: the client has failed, although its keys are kept", async () => {
    await using provider = await startProvider();
    const inner = watchedCache();
    const cache = { ...inner, publish: async () => cacheFails() };
    const setup = keysOf(provider, { cache });
    const report = await refreshed(setup);
    assert.deepEqual([report.outcome, report.error?.code], ["failed", "cache_failed"]);
    assert.deepEqual([...inner.entries().keys()], [ENTRY]);
  });

  test("to give what it has: the provider's keys are kept, as if they were the first", async () => {
    await using provider = await startProvider();
    const cache = failing(["get"], cacheFails);
    const report = await refreshedWell(keysOf(provider, { cache }));
    assert.deepEqual([report.outcome, report.added], ["refreshed", ["rs256"]]);
    assert.deepEqual([...cache.entries().keys()], [ENTRY]);
  });

  test("for one client only: the others are refreshed", async () => {
    await using provider = await startProvider();
    const inner = watchedCache();
    const put: WatchedCache["put"] = async (key, ...rest) =>
      key.endsWith(":b") ? cacheFails() : inner.put(key, ...rest);
    const { keys } = three(provider, { cache: { ...inner, put } });
    assert.deepEqual(outcomesOf(await keys.refresh()), ["a refreshed", "b failed", "c refreshed"]);
  });

  test("leaves no attempt behind that nobody made", async () => {
    await using provider = await startProvider();
    const setup = keysOf(provider);
    await refreshedWell(setup);
    assert.equal(setup.cache.entries().has(ATTEMPT), false);
    assert.deepEqual(setup.cache.writes, [`put ${ENTRY}`]);
  });
});

describe("settings", () => {
  const URI = "https://provider.example/jwks";

  for (const [name, provider] of Object.entries({
    "neither address nor issuer": {},
    http: { jwksUri: "http://provider.example/jwks" },
    "a file": { jwksUri: "file:///etc/passwd" },
    "a user name": { jwksUri: "https://me@provider.example/jwks" },
    "a fragment": { jwksUri: "https://provider.example/jwks#here" },
    "no host": { jwksUri: "https://" },
    nonsense: { jwksUri: "jwks" },
    "an issuer of http": { issuer: "http://provider.example" },
    "an issuer of many, without an address": { issuer: "https://provider.example/{tenantid}/" },
    "an unknown algorithm": { jwksUri: URI, algorithms: ["RS257"] },
    "a symmetric algorithm": { jwksUri: URI, algorithms: ["HS256"] },
    "no algorithm": { jwksUri: URI, algorithms: [] },
    "the algorithm `none`": { jwksUri: URI, algorithms: ["none"] },
  })) {
    test(`a provider with ${name} is refused`, () => {
      assert.throws(() => keysOf(provider), { name: "JanitorError", code: "invalid_setting" });
    });
  }

  for (const [name, least, most] of [
    ["timeoutSeconds", 1, 600],
    ["retries", 0, 10],
    ["minFreshSeconds", 0, 86_400],
    ["cooldownSeconds", 1, 86_400],
    ["concurrency", 1, 100],
  ] as const) {
    test(`\`${name}\` is from ${least} to ${most}, and whole`, () => {
      for (const value of [least, most]) keysOf({ jwksUri: URI }, { [name]: value });
      for (const value of [least - 1, most + 1, least + 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
        assert.throws(
          () => keysOf({ jwksUri: URI }, { [name]: value }),
          { code: "invalid_setting" },
          `${value}`,
        );
      }
    });
  }

  test("keys are used at least as long as they are fresh", () => {
    const make = (
      maxStaleSeconds: number,
      more: { maxFreshSeconds?: number; minFreshSeconds?: number } = {},
    ) => keysOf({ jwksUri: URI }, { maxStaleSeconds, ...more });
    assert.throws(() => make(3600, { maxFreshSeconds: 3601 }), { code: "invalid_setting" });
    assert.throws(() => make(60, { minFreshSeconds: 61 }), { code: "invalid_setting" });
    make(3600, { maxFreshSeconds: 3600 });
    // What is not said has its default, or as much of it as there is room for.
    make(60);
    keysOf({ jwksUri: URI }, { maxFreshSeconds: 0 });
    // A default makes room for nothing that is given.
    assert.throws(() => keysOf({ jwksUri: URI }, { minFreshSeconds: 86_401 }), { code: "invalid_setting" });
    assert.throws(() => keysOf({ jwksUri: URI }, { maxFreshSeconds: 604_801 }), { code: "invalid_setting" });
    make(31_622_400, { maxFreshSeconds: 31_622_400, minFreshSeconds: 31_622_400 });
    for (const beyond of [0, 31_622_401]) assert.throws(() => make(beyond), { code: "invalid_setting" });
  });

  test("what does not exist is refused", () => {
    // @ts-expect-error: misspelt
    assert.throws(() => keysOf({ jwksUrl: URI }), {
      code: "unknown_setting",
      message: /did you mean `jwksUri`/,
    });
    // @ts-expect-error: misspelt
    assert.throws(() => keysOf({ jwksUri: URI }, { retry: 3 }), { code: "unknown_setting" });
  });

  test("a key of a provider is what HIdP allows", () => {
    const cache = watchedCache();
    const make = (key: string) => createKeys({ providers: { [key]: { jwksUri: URI } }, cache });
    for (const key of ["google", "a/b-c.d_e~F", "x".repeat(100)]) make(key);
    for (const key of ["", "a b", "ä", "a%20", "a:b", "x".repeat(101)]) {
      assert.throws(() => make(key), { code: "invalid_setting" }, key);
    }
  });
});
