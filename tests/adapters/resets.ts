// What becomes of connections that are reset, as by a failover, and of whoever uses the store at that very moment.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectSocket, createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import type { SqlStore } from "idp-janitor";

/** Passes connections on to a port of this machine, and resets them when it is told to. */
async function proxyTo(port: number) {
  const sockets = new Set<Socket>();
  const proxy = createServer((near) => {
    const far = connectSocket(port, "127.0.0.1");
    sockets.add(near);
    near.pipe(far).pipe(near);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
    near.on("close", () => sockets.delete(near));
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const address = proxy.address();
  assert.ok(typeof address === "object" && address !== null);
  return {
    port: address.port,
    reset() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    close: () => proxy.close(),
  };
}

export interface Resettable {
  /** Opens a store of some connections on a database. */
  connect(url: string): Promise<{ store: SqlStore; end(): Promise<void> }>;
  /** A new database. */
  url(): Promise<string>;
  /** A query that takes far too long. */
  readonly sleep: string;
  readonly parameter: string;
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** The store answers, and every answer is to its question. Of connections that nobody knew to be lost, some may say so first. */
async function answers(store: SqlStore, parameter: string): Promise<void> {
  const ask = async (value: string, how: number) => {
    const bound = { sql: `SELECT ${parameter}`, params: [value] };
    const plain = { sql: `SELECT '${value}'`, params: [] };
    if (how === 0) return (await store.query(bound.sql, bound.params)).rows;
    const results = await store.batch(how === 1 ? [bound, plain] : [plain, plain]);
    assert.deepEqual(results[0]?.rows, results[1]?.rows);
    return results[0]?.rows;
  };
  for (let failures = 0; ; ) {
    const all = Array.from({ length: 9 }, (_, at) => ask(`value ${at}`, at % 3));
    const outcomes = await Promise.race([Promise.allSettled(all), pause(5_000)]);
    assert.ok(outcomes, "a call has no answer");
    for (const [at, outcome] of outcomes.entries()) {
      if (outcome.status === "fulfilled") assert.deepEqual(outcome.value, [[`value ${at}`]]);
      else assert.equal(outcome.reason.code, "store_unavailable", outcome.reason.message);
    }
    if (outcomes.every(({ status }) => status === "fulfilled")) return;
    failures += 1;
    assert.ok(failures < 5, "it does not work again");
  }
}

export function testResets(name: string, { connect, url, sleep, parameter }: Resettable): void {
  const open = async (context: TestContext) => {
    const through = new URL(await url());
    const proxy = await proxyTo(Number(through.port));
    through.port = String(proxy.port);
    const { store, end } = await connect(through.href);
    context.after(async () => {
      await end();
      proxy.close();
    });
    return { store, proxy };
  };
  const lost = async (call: Promise<unknown>) => {
    const began = performance.now();
    await assert.rejects(call, { code: "store_unavailable" });
    assert.ok(performance.now() - began < 4_000);
  };
  const slow = { sql: sleep, params: [] };

  test(`${name} answers after a reset, whatever was under way`, async (context) => {
    const { store, proxy } = await open(context);
    const calls = [
      () => store.query(sleep, []),
      () => store.batch([slow, slow]),
      () => store.batch([{ sql: `SELECT ${parameter}`, params: ["x"] }, slow]),
    ];
    for (const call of calls) {
      for (const together of [[call], [call, ...calls]]) {
        const all = together.map((one) => lost(one()));
        await pause(200);
        proxy.reset();
        await Promise.all(all);
        await answers(store, parameter);
        await answers(store, parameter);
      }
    }
  });

  test(`${name} answers after a reset, a session among what was lost`, async (context) => {
    const { store, proxy } = await open(context);
    for (const isIdle of [false, true]) {
      const session = await store.session?.();
      assert.ok(session);
      await session.query("SELECT 1", []);
      const query = isIdle ? undefined : lost(session.query(sleep, []));
      await pause(200);
      proxy.reset();
      await query;
      if (isIdle) await pause(100);
      await lost(session.query("SELECT 1", []));
      await session.close();
      await answers(store, parameter);
      const next = await store.session?.();
      assert.deepEqual((await next?.query("SELECT 1", []))?.rows, [[1]]);
      await next?.close();
      await answers(store, parameter);
    }
  });
}
