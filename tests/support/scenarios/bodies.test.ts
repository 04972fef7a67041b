import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { ask, eventually, failure, serving } from "../asking.ts";
import { keySet, testKey } from "../keys.ts";
import * as scenarios from "../scenarios.ts";
import { testTls, trustInProcess } from "../tls.ts";

const MIB = 1024 * 1024;
/** For 64 MiB, on a slow machine that has other things to do. */
const PATIENCE_MS = 20_000;
const NEXT = keySet(testKey("rs256-next"));

after(trustInProcess((await testTls()).ca));

/** Reads what a client without a bound would read, and counts. */
async function read(answer: Response): Promise<{ bytes: number; start: string; end: string }> {
  const bytes = Buffer.from(await answer.arrayBuffer());
  return {
    bytes: bytes.length,
    start: bytes.toString("utf8", 0, 2000),
    end: bytes.toString("utf8", bytes.length - 1),
  };
}

describe("bodies", () => {
  for (const [name, scenario, length] of [
    ["in chunks", scenarios.large(), null],
    ["with its length", scenarios.large("length"), String(64 * MIB)],
  ] as const) {
    test(`64 MiB ${name} come whole to whoever reads them`, async () => {
      await using provider = await serving(scenario);
      const answer = await ask(provider, { signal: AbortSignal.timeout(PATIENCE_MS) });
      assert.equal(answer.headers.get("content-length"), length);
      const { bytes, start, end } = await read(answer);
      assert.equal(bytes, 64 * MIB);
      assert.deepEqual([JSON.parse(start), end], [NEXT, " "]);
    });
  }

  test("64 MiB stop where the client stops", async () => {
    await using provider = await serving(scenarios.large());
    const answer = await ask(provider);
    await answer.body?.getReader().cancel();
    await eventually("the exchange is over", () => provider.exchanges.now === 0);
    const [asked] = provider.requests;
    assert.equal(asked?.state, "cut");
    assert.ok(asked.bytesSent < 32 * MIB, `${asked.bytesSent}`);
  });

  test("more than was said is sent, and fetch reads what was said", async () => {
    await using provider = await serving(scenarios.largerThanSaid(8 * MIB));
    assert.equal(await (await ask(provider)).text(), JSON.stringify(NEXT));
    await eventually("the exchange is over", () => provider.exchanges.now === 0);
    assert.ok((provider.requests[0]?.bytesSent ?? 0) > MIB);
  });

  test("a gzip bomb is small on the wire and 64 MiB within", async () => {
    await using provider = await serving(scenarios.gzipBomb());
    const answer = await ask(provider, { signal: AbortSignal.timeout(PATIENCE_MS) });
    assert.ok(Number(answer.headers.get("content-length") ?? Number.NaN) <= 70_000);
    const { bytes, start } = await read(answer);
    assert.equal(bytes, 64 * MIB);
    assert.deepEqual(JSON.parse(start), NEXT);
    await eventually("the exchange is over", () => provider.exchanges.now === 0);
    assert.ok((provider.requests[0]?.bytesSent ?? Number.NaN) <= 80_000);
  });

  test("an honest gzip is read", async () => {
    await using provider = await serving(scenarios.gzipped());
    const answer = await ask(provider);
    assert.equal(answer.headers.get("content-encoding"), "gzip");
    assert.deepEqual(await answer.json(), NEXT);
  });

  test("a byte a second drips a byte a second", async () => {
    await using provider = await serving(scenarios.drip());
    const before = performance.now();
    const reader = (await ask(provider)).body?.getReader();
    const times = [];
    for (let count = 0; count < 2; count += 1) {
      const { value } = (await reader?.read()) ?? {};
      assert.equal(value?.length, 1);
      times.push(performance.now() - before);
    }
    // From below alone: a busy machine is late, and nothing is ever early.
    const [first = 0, second = 0] = times;
    assert.ok(first < second && second >= 990, `${first}, ${second}`);
    await reader?.cancel();
    await eventually("the provider sees that nobody reads", () => provider.exchanges.now === 0);
  });

  test("a drip is a good set in the end", async () => {
    await using provider = await serving(scenarios.drip(1, '{"keys":[]}'));
    assert.deepEqual(await (await ask(provider)).json(), { keys: [] });
  });

  for (const framing of ["length", "chunked"] as const) {
    test(`a body cut off raises (${framing})`, async () => {
      await using provider = await serving(scenarios.cutOff(framing));
      const answer = await ask(provider);
      assert.equal(answer.status, 200);
      assert.match(await failure(answer.text()), /UND_ERR_SOCKET|ECONNRESET/);
    });
  }

  test("a body cut off where the connection's end is its end is half a set", async () => {
    await using provider = await serving(scenarios.cutOff("until-close"));
    const body = await (await ask(provider)).text();
    assert.equal(body, JSON.stringify(NEXT).slice(0, body.length));
    assert.throws(() => JSON.parse(body), SyntaxError);
  });

  test("200,000 brackets are well-formed", async () => {
    await using provider = await serving(scenarios.inTurn(scenarios.nested(), scenarios.nested("elsewhere")));
    for (const wanted of [/^\{"keys":(\[{200000})(\]{200000})\}$/, /"also":(\[{200000})(\]{200000})\}$/]) {
      const body = await (await ask(provider)).text();
      assert.match(body, wanted);
      // The text without its brackets shows the rest to be JSON.
      const flat = JSON.parse(body.replace(/\[{200000}\]{200000}/, "[]"));
      assert.deepEqual(
        flat.also === undefined ? flat : { keys: flat.keys },
        "also" in flat ? NEXT : { keys: [] },
      );
    }
  });
});

describe("silence", () => {
  test("no answer at all, until the client gives up", async () => {
    await using provider = await serving(scenarios.neverAnswers());
    assert.equal(await failure(ask(provider, { signal: AbortSignal.timeout(300) })), "TimeoutError");
    await eventually("the exchange is over", () => provider.exchanges.now === 0);
    assert.deepEqual([provider.requests[0]?.state, provider.requests[0]?.bytesSent], ["cut", 0]);
  });

  test("headers and never a body", async () => {
    await using provider = await serving(scenarios.headersOnly());
    const answer = await ask(provider, { signal: AbortSignal.timeout(500) });
    assert.equal(answer.status, 200);
    assert.equal(await failure(answer.text()), "TimeoutError");
  });

  test("the connection's end instead of an answer", async () => {
    await using provider = await serving(scenarios.hangsUp());
    assert.match(await failure(ask(provider)), /UND_ERR_SOCKET|ECONNRESET/);
  });
});
