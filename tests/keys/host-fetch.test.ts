// Requests by a host's own fetch, which may not do as it is told.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import type { Fetch } from "idp-janitor";
import { testKey } from "../support/keys.ts";
import { startProvider } from "../support/provider.ts";
import * as scenarios from "../support/scenarios.ts";
import { testTls, trustInProcess } from "../support/tls.ts";
import { pathsOf } from "./clients.ts";
import { keysOf, kidsOf, refreshed, refreshedWell } from "./setup.ts";

after(trustInProcess((await testTls()).ca));

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
