// Processes that share a cache: one of them asks the provider, and the others wait for what comes of it.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { promisify } from "node:util";
import { testKey } from "../support/keys.ts";
import { startProvider } from "../support/provider.ts";
import * as scenarios from "../support/scenarios.ts";
import { testTls, trustInChildren, trustInProcess } from "../support/tls.ts";
import { configured, tokenOf, verify } from "./logins.ts";
import { CLIENT, keysOf, kidsOf, refusal, watchedCache } from "./setup.ts";

const { ca } = await testTls();
after(trustInProcess(ca));

describe("processes that share a cache", { concurrency: true }, () => {
  test("one fetches, and the others wait for what comes of it", async () => {
    await using provider = await startProvider();
    provider.respond("/jwks", scenarios.delayed(700, scenarios.set(testKey("rs256"))));
    const cache = watchedCache();
    const several = Array.from({ length: 5 }, () => keysOf(configured(provider), { cache }));
    const read = await Promise.all(several.map(kidsOf));
    assert.deepEqual(new Set(read.flat()), new Set(["rs256"]));
    assert.equal(provider.requests.length, 1);
    assert.equal(several.flatMap(({ warnings }) => warnings).length, 1);
  });

  test("one fails, and the others are told what it failed by", async () => {
    await using provider = await startProvider();
    provider.respond("/jwks", scenarios.delayed(700, scenarios.status(404)));
    const cache = watchedCache();
    const several = Array.from({ length: 5 }, () => keysOf(configured(provider), { cache }));
    for (const { code, message } of await Promise.all(several.map(({ keys }) => refusal(keys.get(CLIENT))))) {
      assert.deepEqual([code, /status 404/.test(message)], ["keys_unavailable", true]);
    }
    assert.equal(provider.requests.length, 1);
  });

  test("one has fetched within the cooldown: the others ask for nothing", async () => {
    await using provider = await startProvider();
    const cache = watchedCache();
    const [first, second] = [
      keysOf(configured(provider), { cache }),
      keysOf(configured(provider), { cache }),
    ];
    await refusal(verify(first, await tokenOf(provider, "unknown")));
    assert.equal((await refusal(verify(second, await tokenOf(provider, "unknown")))).code, "token_key");
    assert.equal(provider.requests.length, 1);
  });

  test("and are processes indeed, with a table: one of four asks, and all have the keys", async () => {
    await using provider = await startProvider();
    provider.respond("/jwks", scenarios.delayed(1000, scenarios.set(testKey("rs256"))));
    const folder = await mkdtemp(join(tmpdir(), "idp-janitor-keys-"));
    try {
      const child = join(import.meta.dirname, "read-child.ts");
      const args = [child, join(folder, "keys.sqlite3"), provider.jwksUri()];
      const env = { ...process.env, ...trustInChildren(ca) };
      const run = promisify(execFile);
      const children = await Promise.all(
        Array.from({ length: 4 }, () => run(process.execPath, args, { env })),
      );
      const told = children.map(({ stdout }) => JSON.parse(stdout));
      for (const { kids } of told) assert.deepEqual(kids, ["rs256"]);
      assert.equal(told.flatMap(({ warnings }) => warnings).length, 1);
      assert.equal(provider.requests.length, 1);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
