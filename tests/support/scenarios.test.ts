import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { after, describe, test } from "node:test";
import { connect } from "node:tls";
import { ask, failure, serving } from "./asking.ts";
import { GOOGLE, type KeySet, MICROSOFT, ODD_KEYS } from "./fixtures.ts";
import { keySet, testKey } from "./keys.ts";
import { startProvider } from "./provider.ts";
import * as scenarios from "./scenarios.ts";
import { testTls, trustInProcess } from "./tls.ts";

after(trustInProcess((await testTls()).ca));

/** Reads as a client with a bound would. */
async function firstMebibyte(answer: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of answer.body ?? []) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes > 1024 * 1024) break;
  }
  return Buffer.concat(pieces).toString("latin1");
}

async function keysOf(answer: Response): Promise<KeySet["keys"]> {
  return (await answer.json()).keys;
}

describe("answers", () => {
  test("statuses, with Retry-After in any form", async () => {
    await using provider = await serving(
      scenarios.inTurn(
        scenarios.status(404),
        scenarios.status(410),
        scenarios.status(429, 7),
        scenarios.status(500),
        scenarios.status(503, "Mon, 23 Nov 2026 10:00:00 GMT"),
      ),
    );
    const seen = [];
    for (let time = 0; time < 6; time += 1) {
      const answer = await ask(provider);
      seen.push([answer.status, answer.headers.get("retry-after")]);
    }
    const last = [503, "Mon, 23 Nov 2026 10:00:00 GMT"];
    assert.deepEqual(seen, [[404, null], [410, null], [429, "7"], [500, null], last, last]);
  });

  test("HTML with 200", async () => {
    await using provider = await serving(scenarios.html());
    const answer = await ask(provider);
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get("content-type") ?? "", /^text\/html/);
    assert.match(await answer.text(), /^<!doctype html>/);
  });

  test("a delay", async () => {
    await using provider = await serving(scenarios.delayed(200, scenarios.json({ late: true })));
    const before = performance.now();
    assert.deepEqual(await (await ask(provider)).json(), { late: true });
    assert.ok(performance.now() - before >= 195);
  });
});

describe("redirects", () => {
  test("to a path, to another origin, and to http, by every status", async () => {
    await using provider = await startProvider();
    await using other = await startProvider();
    await using plain = await startProvider({ front: "plain" });
    for (const status of scenarios.REDIRECTS) {
      for (const location of ["/jwks", other.jwksUri(), plain.jwksUri()]) {
        provider.respond("/it", scenarios.redirect(location, status));
        const answer = await ask(provider);
        assert.deepEqual([answer.status, answer.headers.get("location")], [status, location]);
        const followed = await ask(provider, { redirect: "follow" });
        assert.equal(followed.url, new URL(location, provider.origin).href);
        assert.deepEqual(await followed.json(), keySet(testKey("rs256")));
      }
    }
  });

  test("loops, endless chains, and a redirect to nowhere", async () => {
    await using provider = await serving(scenarios.redirectLoop());
    assert.equal(await failure(ask(provider, { redirect: "follow" })), "TypeError");
    assert.equal(provider.requests.length, 21);
    assert.equal(new Set(provider.requests.map((asked) => asked.path)).size, 1);
    provider.respond("/it", scenarios.endlessRedirects());
    assert.equal(await failure(ask(provider, { redirect: "follow" })), "TypeError");
    assert.equal(new Set(provider.requests.map((asked) => asked.path)).size, 21);
    provider.respond("/it", scenarios.redirectNowhere());
    assert.equal((await ask(provider)).headers.get("location"), null);
  });
});

describe("key sets", () => {
  test("rotation, and the same id with another key", async () => {
    await using provider = await startProvider();
    const fetched = async () => keysOf(await fetch(provider.jwksUri()));
    const [before] = await fetched();
    provider.rotate(testKey("rs256"), testKey("es256"));
    assert.deepEqual(await fetched(), keySet(testKey("rs256"), testKey("es256")).keys);
    provider.rotate(testKey("rs256-next", "rs256"));
    const [afterwards] = await fetched();
    assert.equal(afterwards?.kid, before?.kid);
    assert.notEqual(afterwards?.n, before?.n);
  });

  test("ids twice, shared, and missing; private halves; many keys", async () => {
    await using provider = await serving(scenarios.duplicateIds());
    const fetched = async (scenario: scenarios.Scenario) => {
      provider.respond("/it", scenario);
      return keysOf(await ask(provider));
    };
    const twice = await fetched(scenarios.duplicateIds());
    assert.deepEqual(
      twice.map((jwk) => jwk.kid),
      ["twice", "twice"],
    );
    assert.notEqual(twice[0]?.n, twice[1]?.n);
    const shared = await fetched(scenarios.sharedId());
    assert.deepEqual(
      shared.map((jwk) => [jwk.kid, jwk.kty]),
      [
        ["shared", "RSA"],
        ["shared", "EC"],
      ],
    );
    const [first, second] = await fetched(scenarios.sameKeyTwice());
    assert.deepEqual(first, second);
    const [nameless] = await fetched(scenarios.keyWithout());
    assert.ok(nameless && !("kid" in nameless) && "n" in nameless);
    const leaked = await fetched(scenarios.leakedSet(testKey("rs256"), testKey("es256"), testKey("eddsa")));
    assert.ok(leaked.every((jwk) => typeof jwk.d === "string"));
    const many = await fetched(scenarios.manyKeys());
    assert.equal(new Set(many.map((jwk) => jwk.kid)).size, 10_000);
  });

  test("what is no set", async () => {
    await using provider = await startProvider();
    for (const [name, answer] of Object.entries(scenarios.NO_SETS)) {
      provider.respond("/it", answer);
      const body = await (await ask(provider)).text();
      let parsed: unknown;
      try {
        parsed = JSON.parse(body);
      } catch {
        continue;
      }
      const keys =
        typeof parsed === "object" && parsed !== null && "keys" in parsed ? parsed.keys : undefined;
      assert.ok(!Array.isArray(keys) || keys.every((key) => typeof key !== "object"), name);
    }
  });

  test("every odd key is served beside a good one", async () => {
    await using provider = await startProvider();
    for (const [name, jwk] of Object.entries(ODD_KEYS)) {
      provider.respond("/it", scenarios.goodAndOdd(name));
      assert.deepEqual(await keysOf(await ask(provider)), [testKey("rs256").publicJwk, jwk], name);
    }
  });

  test("sets as Google and Microsoft serve them", async () => {
    await using provider = await serving(scenarios.inTurn(scenarios.json(GOOGLE), scenarios.json(MICROSOFT)));
    assert.deepEqual(Object.keys((await keysOf(await ask(provider)))[0] ?? {}).sort(), [
      "alg",
      "e",
      "kid",
      "kty",
      "n",
      "use",
    ]);
    const microsoft = await keysOf(await ask(provider));
    assert.equal(microsoft.length, 3);
    assert.ok(microsoft.every((jwk) => "x5c" in jwk && "x5t" in jwk && "issuer" in jwk && !("alg" in jwk)));
  });
});

describe("caching", () => {
  const SET = keySet(testKey("es256"));

  test("304 for a matching If-None-Match, in every form, and 200 after a rotation", async () => {
    await using provider = await startProvider();
    const etag = (await fetch(provider.jwksUri())).headers.get("etag") ?? "";
    assert.match(etag, /^"[\w-]{43}"$/);
    const conditional = async (value: string) =>
      (await fetch(provider.jwksUri(), { headers: { "if-none-match": value } })).status;
    for (const value of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
      assert.equal(await conditional(value), 304, value);
    }
    for (const value of ['"other"', etag.slice(1, -1)]) assert.equal(await conditional(value), 200, value);
    provider.rotate(testKey("rs256-next"));
    assert.equal(await conditional(etag), 200);
  });

  test("304 has no body and keeps the headers that renew", async () => {
    await using provider = await serving(
      scenarios.cached(SET, { etag: 'W/"1"', cacheControl: "max-age=60", age: 12, expires: "0" }),
    );
    const answer = await ask(provider, { headers: { "if-none-match": 'W/"1"' } });
    assert.deepEqual([answer.status, await answer.text()], [304, ""]);
    const headers = ["etag", "cache-control", "age", "expires", "content-type"];
    assert.deepEqual(
      headers.map((name) => answer.headers.get(name)),
      ['W/"1"', "max-age=60", "12", "0", null],
    );
  });

  test("304 by date alone, which an If-None-Match overrides", async () => {
    const lastModified = new Date("2026-11-01T00:00:00.500Z");
    await using provider = await serving(scenarios.cached(SET, { etag: null, lastModified }));
    const first = await ask(provider);
    assert.equal(first.headers.get("etag"), null);
    const since = { "if-modified-since": first.headers.get("last-modified") ?? "" };
    const none = { "if-none-match": '"x"' };
    const before = { "if-modified-since": "Sat, 31 Oct 2026 23:59:59 GMT" };
    assert.equal((await ask(provider, { headers: since })).status, 304);
    assert.equal((await ask(provider, { headers: before })).status, 200);
    assert.equal((await ask(provider, { headers: { ...since, ...none } })).status, 200);
  });

  test("304 although nobody asked", async () => {
    await using provider = await serving(scenarios.alwaysNotModified());
    assert.equal((await ask(provider)).status, 304);
  });

  for (const [name, etag] of Object.entries(scenarios.ODD_ETAGS)) {
    test(`an ETag ${name} comes through and matches itself`, async () => {
      await using provider = await serving(scenarios.cached(SET, { etag }));
      const seen = (await ask(provider)).headers.get("etag");
      assert.equal(seen, etag);
      assert.equal((await ask(provider, { headers: { "if-none-match": etag } })).status, 304);
    });
  }

  for (const [name, value] of Object.entries(scenarios.BROKEN_ETAGS)) {
    test(`an ETag ${name} is on the wire as it is`, async () => {
      const kind = name as keyof typeof scenarios.BROKEN_ETAGS;
      await using provider = await serving(scenarios.brokenEtag(SET, kind));
      // Without Node's reading of HTTP, which refuses most of these.
      const socket = connect({ host: "127.0.0.1", port: Number(new URL(provider.origin).port) });
      socket.setEncoding("latin1").write("GET /it HTTP/1.1\r\nHost: localhost\r\n\r\n");
      const wire = await text(socket);
      assert.ok(wire.includes(`ETag: ${value}\r\n`), wire.slice(0, 400));
      // What no header may hold, or more than Node reads of all headers together.
      assert.ok(["\r", "\n", "\0"].some((byte) => value.includes(byte)) || value.length > 16_384);
    });
  }
});

describe("discovery documents", () => {
  test("each wrong one differs from the right one, and only in what it is named for", async () => {
    await using provider = await startProvider();
    const right = await (await fetch(`${provider.origin}/.well-known/openid-configuration`)).json();
    for (const [name, wrong] of Object.entries(scenarios.wrongDiscoveries(provider.origin))) {
      provider.respond("/it", wrong);
      const found = await (await ask(provider)).json();
      if (found === null || Array.isArray(found)) continue;
      const differs = Object.keys(right).filter((member) => right[member] !== found[member]);
      const named = /issuer/.test(name) ? "issuer" : "jwks_uri";
      assert.ok(differs.includes(named), name);
      assert.ok(!differs.includes(named === "issuer" ? "jwks_uri" : "issuer"), name);
    }
  });
});

describe("the catalogue of faults", { concurrency: true }, () => {
  for (const [name, { scenario, hangs = false }] of Object.entries(scenarios.FAULTS)) {
    test(`${name}: ${hangs ? "hangs" : "ends"}, and has no key of the provider`, async () => {
      await using provider = await serving(scenario);
      const signal = AbortSignal.timeout(hangs ? 500 : 20_000);
      const outcome = await ask(provider, { signal })
        .then(firstMebibyte)
        .catch((error: unknown) => String(error));
      assert.equal(signal.aborted, hangs, outcome.slice(0, 200));
      assert.ok(!outcome.includes(String(testKey("rs256").publicJwk.n)));
    });
  }
});
