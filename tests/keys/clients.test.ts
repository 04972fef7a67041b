// Which clients a refresh is about, and what the host is told of each.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { startProvider } from "../support/provider.ts";
import * as scenarios from "../support/scenarios.ts";
import { testTls, trustInProcess } from "../support/tls.ts";
import { outcomesOf, three } from "./clients.ts";
import { CLIENT, keysOf, refusal } from "./setup.ts";

after(trustInProcess((await testTls()).ca));

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
