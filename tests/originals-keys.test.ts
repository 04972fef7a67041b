/**
 * `refresh_oidc_clients_jwks`, the original as the judge: both fetch from the same provider on TLS, and what HIdP then reads,
 * its network cut off, is the same. Where the original fails its users, ours does not.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import "idp-janitor";
import { type Deployment, withDatabaseCache, withRedisCache } from "./caches/deployments.ts";
import { finished, newFolder, start } from "./cli/command.ts";
import { GOOGLE, MICROSOFT } from "./support/fixtures.ts";
import { testKey } from "./support/keys.ts";
import { type Provider, startProvider } from "./support/provider.ts";
import { hidp, type KeysRead, readKeys } from "./support/read-keys.ts";
import { type RedisServer, startRedis } from "./support/redis.ts";
import { html, json, set } from "./support/scenarios.ts";
import { trustInChildren } from "./support/tls.ts";

const CLIENT = "some-provider";
const JOB = "refresh_oidc_clients_jwks";

let redis: RedisServer;
let provider: Provider;
let trust: NodeJS.ProcessEnv;
before(async () => {
  redis = await startRedis();
  provider = await startProvider();
  const { NODE_EXTRA_CA_CERTS } = trustInChildren(provider.ca);
  // What `requests` trusts, and what Node does.
  trust = { NODE_EXTRA_CA_CERTS, REQUESTS_CA_BUNDLE: NODE_EXTRA_CA_CERTS };
});
after(async () => {
  await provider?.close();
  await redis?.close();
});

const BACKENDS: Record<string, { open(): Promise<Deployment>; flags(deployment: Deployment): string[] }> = {
  DatabaseCache: {
    open: () => withDatabaseCache(),
    flags: ({ database, setting }) => [
      "--cache",
      `django-db:${setting.LOCATION}`,
      "--database",
      `sqlite:${database}`,
    ],
  },
  RedisCache: {
    open: () => withRedisCache(redis),
    flags: () => ["--cache", redis.url, "--cache-layout", "django"],
  },
};

for (const [backend, { open, flags }] of Object.entries(BACKENDS)) {
  describe(`HIdP with ${backend}`, () => {
    const uri = () => provider.jwksUri();
    const read = async ({ database, setting }: Deployment): Promise<KeysRead["keys"]> => {
      const { keys, refused } = await readKeys(database, setting, CLIENT);
      if (keys !== null) assert.deepEqual(refused, []);
      return keys && [...keys].sort((a, b) => (a.kid < b.kid ? -1 : 1));
    };
    const original = async ({ database, setting }: Deployment): Promise<unknown> => {
      const [printed] = await hidp(database, setting, [["refresh", CLIENT, uri()]], "open", trust);
      return printed;
    };

    for (const [name, scenario] of Object.entries({
      "Google's keys": json(GOOGLE),
      "Microsoft's keys": json(MICROSOFT),
      "keys of several types": set(testKey("rs256"), testKey("es256"), testKey("es512"), testKey("eddsa")),
    })) {
      test(`reads of ${name} what the original had stored`, async (t) => {
        provider.respond("/jwks", scenario);
        const [theirs, ours] = [await open(), await open()];
        t.after(() => Promise.all([theirs.close(), ours.close()]));
        // One Redis serves both: what the first had is read before the second begins.
        const sentence = await original(theirs);
        const expected = await read(theirs);
        assert.ok(expected !== null && expected.length > 0, "the original has stored keys");
        if (backend === "RedisCache") await (await open()).close();
        const outcome = await finished(
          start(newFolder(t), [JOB, "--client", `${CLIENT}=${uri()}`, ...flags(ours)], trust),
        );
        assert.deepEqual([outcome.status, outcome.stderr], [0, ""]);
        assert.ok(outcome.stdout.startsWith(String(sentence)), `${outcome.stdout} begins with ${sentence}`);
        assert.deepEqual(await read(ours), expected);
      });
    }

    test("reads keys that are good, although it would refuse the set that the provider publishes", async (t) => {
      const odd = { ...testKey("rs256").publicJwk, key_ops: ["verify", "encrypt"] };
      provider.respond("/jwks", set(odd, testKey("es256")));
      const deployment = await open();
      t.after(() => deployment.close());
      const flagged = [JOB, "--client", `${CLIENT}=${uri()}`, ...flags(deployment)];
      assert.equal((await finished(start(newFolder(t), flagged, trust))).status, 0);
      assert.deepEqual(
        (await read(deployment))?.map(({ kid }) => kid),
        ["es256", "rs256"],
      );
      await original(deployment);
      assert.equal(await read(deployment), null);
    });

    test("keeps its keys through a failure, where the original throws them away and says nothing", async (t) => {
      provider.respond("/jwks", set(testKey("rs256")));
      const deployment = await open();
      t.after(() => deployment.close());
      const refresh = () =>
        finished(start(newFolder(t), [JOB, "--client", `${CLIENT}=${uri()}`, ...flags(deployment)], trust));
      assert.equal((await refresh()).status, 0);
      const good = await read(deployment);
      assert.equal(good?.length, 1);

      provider.respond("/jwks", html());
      const failed = await refresh();
      assert.equal(failed.status, 1);
      assert.match(failed.stderr, /\[key_set_not_json\]$/m);
      assert.deepEqual(await read(deployment), good);

      // The fact that this is about: the original ends well, and HIdP has no keys any more.
      await original(deployment);
      assert.equal(await read(deployment), null);

      provider.respond("/jwks", set(testKey("rs256")));
      assert.equal((await refresh()).status, 0);
      assert.deepEqual(await read(deployment), good);
    });
  });
}
