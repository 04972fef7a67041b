import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { ask, eventually, failure, HANGING_MS, serving } from "./asking.ts";
import { keySet, testKey } from "./keys.ts";
import { startProvider } from "./provider.ts";
import * as scenarios from "./scenarios.ts";
import { testTls, trustInChildren, trustInProcess } from "./tls.ts";

// A server sends the authority's own certificate along where its process trusts it.
const UNTRUSTED = /^(UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_CERT_IN_CHAIN)$/;
const CHILD = `fetch(process.argv[1]).then((r) => r.text()).then(console.log, (e) => console.log(e.cause.code))`;
const ALONE = { NODE_EXTRA_CA_CERTS: undefined, NODE_OPTIONS: undefined };

const { ca } = await testTls();
const untrust = trustInProcess(ca);
after(untrust);

describe("TLS", () => {
  test("the right certificate is accepted by name and by address", async () => {
    await using provider = await startProvider();
    assert.match(provider.origin, /^https:\/\/localhost:\d+$/);
    for (const uri of [provider.jwksUri(), provider.jwksUri().replace("localhost", "127.0.0.1")]) {
      assert.equal((await fetch(uri)).status, 200);
    }
  });

  for (const [certificate, code] of [
    ["untrusted", UNTRUSTED],
    ["wrong-name", /^ERR_TLS_CERT_ALTNAME_INVALID$/],
    ["expired", /^CERT_HAS_EXPIRED$/],
  ] as const) {
    test(`the ${certificate} certificate is refused, and nothing asked`, async () => {
      await using provider = await startProvider({ certificate });
      assert.match(await failure(fetch(provider.jwksUri())), code);
      assert.equal(provider.requests.length, 0);
      assert.equal(provider.connections.total, 1);
    });
  }

  test("a child process trusts it by its environment alone", async () => {
    await using provider = await startProvider();
    const run = async (env: NodeJS.ProcessEnv) =>
      (
        await promisify(execFile)(process.execPath, ["-e", CHILD, provider.jwksUri()], {
          env: { ...process.env, ...ALONE, ...env },
        })
      ).stdout.trim();
    const [without, within] = await Promise.all([run({}), run(trustInChildren(ca))]);
    assert.match(without, UNTRUSTED);
    assert.deepEqual(JSON.parse(within), keySet(testKey("rs256")));
  });

  test("trust ends where it is undone", async () => {
    untrust();
    try {
      await using provider = await startProvider();
      assert.match(await failure(fetch(provider.jwksUri())), UNTRUSTED);
    } finally {
      trustInProcess(ca);
    }
  });

  test("the front resets, stays silent, speaks without TLS, and serves again", async () => {
    await using provider = await startProvider();
    provider.front = "reset";
    assert.equal(await failure(fetch(provider.jwksUri())), "ECONNRESET");
    provider.front = "silent";
    const signal = AbortSignal.timeout(300);
    assert.equal(await failure(fetch(provider.jwksUri(), { signal })), "TimeoutError");
    provider.front = "plain";
    assert.match(await failure(fetch(provider.jwksUri())), /WRONG_VERSION_NUMBER|ERR_SSL/);
    assert.equal((await fetch(provider.jwksUri().replace("https:", "http:"))).status, 200);
    provider.front = "tls";
    assert.equal((await fetch(provider.jwksUri())).status, 200);
    assert.equal(provider.requests.length, 2);
  });

  test("a provider without TLS says so", async () => {
    await using provider = await startProvider({ front: "plain" });
    assert.match(provider.jwksUri(), /^http:/);
    assert.equal((await fetch(provider.jwksUri())).status, 200);
  });
});

describe("a provider", () => {
  test("publishes its keys and where they are, and finds nothing else", async () => {
    await using provider = await startProvider({ keys: [testKey("google-1"), testKey("eddsa")] });
    const found = await (await fetch(`${provider.issuer}/.well-known/openid-configuration`)).json();
    assert.equal(found.issuer, provider.issuer);
    assert.equal(found.jwks_uri, provider.jwksUri());
    assert.deepEqual(
      await (await fetch(found.jwks_uri)).json(),
      keySet(testKey("google-1"), testKey("eddsa")),
    );
    assert.equal((await fetch(provider.jwksUri("/nothing"))).status, 404);

    const issuer = provider.addIssuer("/tenant", testKey("es256"));
    const tenant = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
    assert.deepEqual([tenant.issuer, tenant.jwks_uri], [issuer, `${issuer}/jwks`]);
    assert.deepEqual(await (await fetch(tenant.jwks_uri)).json(), keySet(testKey("es256")));
  });

  test("records what was asked, and how it ended", async () => {
    await using provider = await serving(scenarios.delayed(50, { status: 204 }));
    const before = performance.now();
    await ask(provider, { method: "POST", headers: { "x-test": "1" } });
    await fetch(provider.jwksUri("/jwks?since=1"));
    await eventually("both are over", () => provider.exchanges.now === 0);
    const [first, second] = provider.requests;
    assert.ok(first && second);
    assert.deepEqual([first.method, first.path, first.headers["x-test"]], ["POST", "/it", "1"]);
    assert.deepEqual([second.method, second.path, second.state], ["GET", "/jwks?since=1", "answered"]);
    assert.ok(before <= first.at && first.at + 45 <= second.at, `${before}, ${first.at}, ${second.at}`);
    assert.ok(second.bytesSent > 400 && second.bytesSent < 2000, `${second.bytesSent}`);
  });

  test("counts what is under way, and the most there was", async () => {
    await using provider = await serving(scenarios.delayed(100, {}));
    await Promise.all(Array.from({ length: 5 }, () => ask(provider)));
    await eventually("all are over", () => provider.exchanges.now === 0);
    await ask(provider);
    assert.equal(provider.exchanges.most, 5);
    assert.equal(provider.exchanges.total, 6);
    assert.equal(provider.connections.most, 5);
    provider.hangUp();
    await eventually("all connections end", () => provider.connections.now === 0);
    assert.equal((await ask(provider)).status, 200);
  });

  test("closes at once, whatever hangs, and its port can be had again", async () => {
    const provider = await serving(scenarios.neverAnswers());
    provider.respond("/drip", scenarios.drip());
    const bare = connect(Number(new URL(provider.origin).port), "127.0.0.1");
    await once(bare, "connect");
    const asked = [ask(provider), fetch(provider.jwksUri("/drip")).then((answer) => answer.text())];
    const failures = asked.map(failure);
    await eventually("both are under way", () => provider.exchanges.now === 2);
    // A connection without a handshake would hold it up for two minutes, and an answer without an end for ever.
    const patience = sleep(HANGING_MS, "hangs", { ref: false });
    assert.equal(await Promise.race([provider.close().then(() => "closed"), patience]), "closed");
    assert.deepEqual(await Promise.all(failures), ["UND_ERR_SOCKET", "UND_ERR_SOCKET"]);
    await eventually("nothing is left", () => provider.connections.now === 0);
    assert.equal(await failure(ask(provider)), "ECONNREFUSED");
    await provider.close();

    await using again = await startProvider({ port: Number(new URL(provider.origin).port) });
    assert.equal(again.origin, provider.origin);
    assert.equal((await fetch(again.jwksUri())).status, 200);
  });

  test("says at its end where a scenario failed", async () => {
    const provider = await serving(() => {
      throw new RangeError("of the scenario");
    });
    assert.equal(await failure(ask(provider)), "UND_ERR_SOCKET");
    await assert.rejects(provider.close(), (error: AggregateError) => /of the sc/.test(String(error.errors)));
  });
});
