/** A real Django and its database cache: when is an entry over, for it and for us? */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import "idp-janitor";
import { hidp, readKeys } from "../support/read-keys.ts";
import { withDatabaseCache } from "./deployments.ts";
import { FETCHING, KEYS, keySet } from "./key-sets.ts";

const HOUR = { ttlSeconds: 3600 };

describe("expiry in Django's database cache", () => {
  const NOW = Date.UTC(2026, 10, 23, 12, 0, 0, 500);

  test("is told alike by HIdP and by us, at any second of it", async () => {
    let now = NOW;
    const { cache, database, setting, close } = await withDatabaseCache({}, () => now);
    await cache.publish("some-provider", keySet(KEYS), { ttlSeconds: 10 });
    // Published in the middle of a second: 10 seconds and the rest of that one.
    for (const [at, there] of [
      ["2026-11-23 12:00:00.500000+00:00", true],
      ["2026-11-23 12:00:10.500000+00:00", true],
      ["2026-11-23 12:00:11.000000+00:00", true],
      ["2026-11-23 12:00:11.001000+00:00", false],
    ] as const) {
      now = Date.parse(at.replace(" ", "T"));
      assert.equal((await cache.get("hidp:oidc_client_jwks:some-provider")) !== null, there, `here at ${at}`);
      const { keys, refused } = await readKeys(database, setting, "some-provider", at);
      assert.deepEqual([keys !== null, refused], [there, there ? [] : FETCHING], `HIdP at ${at}`);
    }
    await close();
  });

  test("is read from what Django wrote", async () => {
    let now = Date.now();
    const { cache, database, setting, close } = await withDatabaseCache({}, () => now);
    await hidp(database, setting, [["set_value", "key", "value", 100]]);
    now += 90_000;
    assert.equal(await cache.get("key"), "value");
    assert.equal(await cache.add("key", "new", HOUR), false);
    now += 60_000;
    assert.equal(await cache.get("key"), null);
    assert.equal(await cache.add("key", "new", HOUR), true);
    await close();
  });

  test("lets Django cull what is over, and only that", async () => {
    // To us, the first is not over: if it is not there, Django has culled it.
    const { cache, database, setting, close } = await withDatabaseCache({}, () => Date.now() - 7_200_000);
    await cache.put("over", "value", HOUR);
    await cache.put("live", "value", { ttlSeconds: 36_000 });
    const small = { ...setting, OPTIONS: { MAX_ENTRIES: 1 } };
    await hidp(database, small, [["set_value", "new", "value", 60]]);
    assert.deepEqual([await cache.get("over"), await cache.get("live")], [null, "value"]);
    await close();
  });
});
