// Key caches on the Cache API.

import { cacheApi, type ResponseCache } from "idp-janitor/caches/cache-api";
import { type ConformanceCase, keyCacheCases } from "idp-janitor/testing";
import { answer } from "./cases.ts";

/** A cache that can be told to fail. */
function breakable(responses: ResponseCache) {
  let broken = false;
  const work = <T>(call: () => Promise<T>): Promise<T> =>
    broken ? Promise.reject(new Error("Unable to reach\nthe cache")) : call();
  return {
    match: (url: string) => work(() => responses.match(url)),
    put: (url: string, response: Response) => work(() => responses.put(url, response)),
    breakDriver: async () => {
      broken = true;
    },
  };
}

/** Where an entry is, made anew here. */
const addressOf = (key: string) => `https://idp-janitor.invalid/.idp-janitor/key:${encodeURIComponent(key)}`;

const conformance = keyCacheCases({
  addIsAtomic: false,
  async open() {
    const name = crypto.randomUUID();
    const [responses, others] = [await caches.open(name), await caches.open(name)];
    let now = Date.now();
    const options = { clock: () => now };
    const { breakDriver, ...driver } = breakable(responses);
    return {
      cache: cacheApi(driver, options),
      peer: cacheApi(others, options),
      read: async (key) => {
        const response = await others.match(addressOf(key));
        if (!response) return null;
        const { value }: { value: string } = await response.json();
        return value;
      },
      elapse: async (seconds) => {
        now += seconds * 1000;
      },
      breakDriver,
      close: async () => undefined,
    };
  },
});

/** The deadline of an entry is its own; the runtime drops it a second later. */
const byTheClock: ConformanceCase = {
  name: "ends a value by the clock itself, and has the runtime keep it no longer than that",
  async run() {
    const responses = await caches.open(crypto.randomUUID());
    const cache = cacheApi(responses, { prefix: "times/" });
    await cache.put("short", "value", { ttlSeconds: 1 });
    await cache.put("ever", "value", { ttlSeconds: Number.MAX_SAFE_INTEGER });
    const ages = [];
    for (const key of ["times/short", "times/ever"]) {
      ages.push((await responses.match(addressOf(key)))?.headers.get("cache-control"));
    }
    if (ages.join() !== "max-age=2,max-age=31536000") throw new Error(`kept for ${ages.join()}`);
    if ((await cache.get("short")) !== "value") throw new Error("the value is gone before its time");
    await new Promise((resolve) => setTimeout(resolve, 1100));
    if ((await cache.get("short")) !== null) throw new Error("the value is there after its time");
    if (!(await cache.add("short", "again", { ttlSeconds: 1 }))) throw new Error("it was not added again");
  },
};

export default {
  fetch: (request: Request) => answer(request, [...conformance, byTheClock]),
};
