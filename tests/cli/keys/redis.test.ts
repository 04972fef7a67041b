/** Caches that do not answer: the job ends, says so, and gives no password away. */

import { doesNotMatch, equal, match, ok } from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { testKey } from "../../support/keys.ts";
import { type Provider, startProvider } from "../../support/provider.ts";
import { type RedisServer, startRedis } from "../../support/redis.ts";
import { trustInChildren } from "../../support/tls.ts";
import { assertRefused, newFolder, run } from "../command.ts";

const JOB = "refresh_oidc_clients_jwks";

let provider: Provider;
let redis: RedisServer;
let trust: NodeJS.ProcessEnv;
before(async () => {
  provider = await startProvider({ keys: [testKey("rs256")] });
  redis = await startRedis();
  trust = trustInChildren(provider.ca);
});
after(async () => {
  await provider?.close();
  await redis?.close();
});

describe("Redis", { concurrency: 4 }, () => {
  test("keeps keys from one run to the next", async (t) => {
    const args = ["--client", `acme=${provider.jwksUri()}`, "--cache", redis.url];
    const first = await run(newFolder(t), [JOB, ...args], trust);
    equal(first.status, 0, first.stderr);
    match((await run(newFolder(t), ["keys", ...args], trust)).stdout, /^acme: fresh\n/);
    match((await run(newFolder(t), [JOB, ...args], trust)).stdout, /^acme: unchanged/m);
  });

  test("that accepts and says nothing is told of in seconds", async (t) => {
    const silent = createServer(() => {}).listen(0, "127.0.0.1");
    await once(silent, "listening");
    t.after(() => silent.close());
    const { port } = silent.address() as AddressInfo;
    const began = performance.now();
    const outcome = await run(
      newFolder(t),
      [JOB, "--client", `acme=${provider.jwksUri()}`, "--cache", `redis://:Zm9v/YmFy@127.0.0.1:${port}`],
      trust,
    );
    ok(performance.now() - began < 20_000);
    // Such a password is none that an address may have; what is said of it must not have it either.
    equal(outcome.status === 1 || outcome.status === 2, true, String(outcome.status));
    doesNotMatch(outcome.stderr + outcome.stdout, /Zm9v|YmFy/);
    const plain = await run(
      newFolder(t),
      [JOB, "--client", `acme=${provider.jwksUri()}`, "--cache", `redis://127.0.0.1:${port}`],
      trust,
    );
    assertRefused(plain, 1, "cache_failed", /no answer within 5 s/);
  });

  test("that breaks midway costs no report", async (t) => {
    // A go-between that hangs up once keys are to be set.
    const between = createServer((client) => {
      const server = connect(redis.port, "127.0.0.1");
      for (const end of [client, server]) end.on("error", () => {});
      server.pipe(client);
      client.on("data", (data) => {
        if (/\bSET\b/.test(String(data))) client.destroy();
        else server.write(data);
      });
      client.on("close", () => server.destroy());
    }).listen(0, "127.0.0.1");
    await once(between, "listening");
    t.after(() => between.close());
    const { port } = between.address() as AddressInfo;
    const { status, stdout } = await run(
      newFolder(t),
      [JOB, "--client", `broken=${provider.jwksUri()}`, "--cache", `redis://127.0.0.1:${port}`, "--json"],
      trust,
    );
    equal(status, 1);
    const { clients } = JSON.parse(stdout);
    equal(clients[0].error.code, "cache_failed");
  });

  for (const [address, secret] of [
    ["redis://user:p@ss@127.0.0.1:1", /p@|ss@/],
    ["redis://user:secret@127.0.0.1:1/0", /secret/],
    ["rediz://user:secret@127.0.0.1:1", /secret/],
  ] as const) {
    test(`${address} gives no password away`, async (t) => {
      const outcome = await run(newFolder(t), [
        "keys",
        "--client",
        "a=https://a.example/",
        "--cache",
        address,
      ]);
      ok(outcome.status === 1 || outcome.status === 2);
      doesNotMatch(outcome.stderr, secret);
      match(outcome.stderr, /127\.0\.0\.1|\*\*\*/);
    });
  }
});
