// Key caches on a KV binding.

import type { KVNamespace } from "@cloudflare/workers-types";
import { type KvNamespace, kvCache } from "idp-janitor/caches/kv";
import { keyCacheCases } from "idp-janitor/testing";
import { answer } from "./cases.ts";

interface Env {
  readonly KEYS: KVNamespace;
}

/** A namespace that can be told to fail, as KV does: on several lines. */
function breakable(namespace: KvNamespace) {
  let broken = false;
  const work = <T>(name: string, call: () => Promise<T>): Promise<T> =>
    broken ? Promise.reject(new Error(`KV ${name} failed:\n500 Internal Server Error`)) : call();
  return {
    get: (...args: Parameters<KvNamespace["get"]>) => work("GET", () => namespace.get(...args)),
    put: (...args: Parameters<KvNamespace["put"]>) => work("PUT", () => namespace.put(...args)),
    breakDriver: async () => {
      broken = true;
    },
  };
}

function cases({ KEYS }: Env) {
  return keyCacheCases({
    addIsAtomic: false,
    async open() {
      const prefix = `${crypto.randomUUID()} `;
      let now = Date.now();
      const options = { prefix, clock: () => now };
      const { breakDriver, ...namespace } = breakable(KEYS);
      return {
        cache: kvCache(namespace, options),
        peer: kvCache(KEYS, options),
        read: async (key) => {
          const entry = await KEYS.get<{ value: string }>(prefix + key, "json");
          return entry?.value ?? null;
        },
        elapse: async (seconds) => {
          now += seconds * 1000;
        },
        breakDriver,
        close: async () => undefined,
      };
    },
  });
}

export default {
  fetch: (request: Request, env: Env) => answer(request, cases(env)),
};
