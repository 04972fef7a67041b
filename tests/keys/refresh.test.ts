// A refresh: where keys are found, when it is tried again, and how a signal ends it.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../support/asking.ts";
import { testKey } from "../support/keys.ts";
import { startProvider } from "../support/provider.ts";
import * as scenarios from "../support/scenarios.ts";
import { testTls, trustInProcess } from "../support/tls.ts";
import { pathsOf, three } from "./clients.ts";
import { keysOf, kidsOf, refreshed, refreshedWell, WAYS } from "./setup.ts";

after(trustInProcess((await testTls()).ca));

const DOCUMENT = "/.well-known/openid-configuration";
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
