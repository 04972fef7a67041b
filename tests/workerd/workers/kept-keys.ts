// Keys of a provider, kept in the caches of a Worker.

import type { KVNamespace } from "@cloudflare/workers-types";
import { createKeys, type Fetch, type KeyCache } from "idp-janitor";
import { cacheApi } from "idp-janitor/caches/cache-api";
import { type KvNamespace, kvCache } from "idp-janitor/caches/kv";
import { layeredCache } from "idp-janitor/caches/layered";
import { memoryCache } from "idp-janitor/caches/memory";
import type { ConformanceCase } from "idp-janitor/testing";
import { answer } from "./cases.ts";

interface Env {
  readonly KEYS: KVNamespace;
}

const CLIENT = "acme";
const PROVIDERS = { [CLIENT]: { jwksUri: "https://login.acme.example/keys" } };

/** A provider that publishes one key, and is counted; or that is out of order. */
function provider(kid: string) {
  let asked = 0;
  let working = true;
  const fetch: Fetch = async () => {
    asked += 1;
    if (!working) return new Response("out of order", { status: 404 });
    const algorithm = { name: "ECDSA", namedCurve: "P-256" };
    const { publicKey } = (await crypto.subtle.generateKey(algorithm, true, [
      "sign",
      "verify",
    ])) as CryptoKeyPair;
    const key = await crypto.subtle.exportKey("jwk", publicKey);
    return Response.json({ keys: [{ kty: key.kty, crv: key.crv, x: key.x, y: key.y, kid, use: "sig" }] });
  };
  const fail = () => {
    working = false;
  };
  return { fetch, asked: () => asked, fail };
}

/** What an isolate has of its own, and what it tells. */
function isolate(cache: KeyCache, fetch: Fetch) {
  const warnings: string[] = [];
  const keys = createKeys({
    providers: PROVIDERS,
    cache,
    fetch,
    onWarning: (one) => void warnings.push(one),
  });
  const kids = async () => (await keys.get(CLIENT)).jwks.keys.map((key) => Reflect.get(key, "kid"));
  return { keys, kids, warnings };
}

function expect(found: unknown, expected: unknown, what: string): void {
  const [left, right] = [JSON.stringify(found), JSON.stringify(expected)];
  if (left !== right) throw new Error(`${what}: expected ${right}, got ${left}`);
}

/** The cases on a cache of which every call makes another one on the same place, empty at first. */
function casesOn(label: string, open: () => () => KeyCache): ConformanceCase[] {
  return [
    {
      name: `${label}: one isolate refreshes, another reads, and a failure costs no key`,
      async run() {
        const cache = open();
        const { fetch, asked, fail } = provider("first");
        const job = isolate(cache(), fetch);
        const [report] = (await job.keys.refresh()).clients;
        expect([report?.outcome, report?.error], ["refreshed", undefined], "report");
        const login = isolate(cache(), fetch);
        expect(await login.kids(), ["first"], "keys");
        fail();
        const [failed] = (await job.keys.refresh()).clients;
        expect([failed?.outcome, failed?.error?.code], ["failed", "provider_status"], "a failure");
        const other = isolate(cache(), fetch);
        expect(await other.kids(), ["first"], "keys after a failure");
        expect([asked(), login.warnings, other.warnings], [2, [], []], "requests, warnings");
        const [status] = await other.keys.status();
        expect([status?.state, status?.lastFailure?.code], ["fresh", "provider_status"], "status");
      },
    },
    {
      name: `${label}: a reader that finds no keys fetches them once, for others too`,
      async run() {
        const cache = open();
        const { fetch, asked } = provider("reluctant");
        const login = isolate(cache(), fetch);
        expect(await Promise.all([login.kids(), login.kids()]), [["reluctant"], ["reluctant"]], "keys");
        expect(await isolate(cache(), fetch).kids(), ["reluctant"], "keys of another");
        expect([asked(), login.warnings.length], [1, 1], "requests, warnings");
      },
    },
    {
      name: `${label}: a cooldown that was seen holds requests back`,
      async run() {
        const cache = open();
        const { fetch, asked, fail } = provider("never");
        fail();
        for (const one of [isolate(cache(), fetch), isolate(cache(), fetch)]) {
          const code = await one.kids().catch((error: unknown) => Reflect.get(Object(error), "code"));
          expect(code, "keys_unavailable", "code");
        }
        expect(asked(), 1, "requests");
      },
    },
  ];
}

const prefixed = (namespace: KvNamespace) => () => {
  const prefix = `${crypto.randomUUID()} `;
  return () => kvCache(namespace, { prefix });
};

function cases({ KEYS }: Env): ConformanceCase[] {
  const onKv = prefixed(KEYS);
  return [
    ...casesOn("kv", onKv),
    ...casesOn("memory before kv", () => {
      const far = onKv();
      return () => layeredCache(memoryCache(), far());
    }),
    {
      name: "the Cache API before kv: keys are read while KV fails",
      async run() {
        const near = cacheApi(await caches.open(crypto.randomUUID()));
        const { fetch, asked } = provider("near");
        await isolate(layeredCache(near, onKv()()), fetch).keys.refresh();
        const failing = () => Promise.reject(new Error("KV GET failed: 500 Internal Server Error"));
        const login = isolate(layeredCache(near, kvCache({ get: failing, put: failing })), fetch);
        expect([await login.kids(), login.warnings, asked()], [["near"], [], 1], "keys, warnings, requests");
      },
    },
  ];
}

export default {
  fetch: (request: Request, env: Env) => answer(request, cases(env)),
};
