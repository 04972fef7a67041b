// Caches that fail while a refresh keeps what came of it.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { JanitorError } from "idp-janitor";
import { startProvider } from "../support/provider.ts";
import * as scenarios from "../support/scenarios.ts";
import { testTls, trustInProcess } from "../support/tls.ts";
import { outcomesOf, three } from "./clients.ts";
import {
  ATTEMPT,
  CLIENT,
  ENTRY,
  keysOf,
  refreshed,
  refreshedWell,
  type WatchedCache,
  watchedCache,
} from "./setup.ts";

after(trustInProcess((await testTls()).ca));

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
