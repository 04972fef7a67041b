/** A key cache in the Cache API of Cloudflare's Workers. */

import { JanitorError } from "../errors.ts";
import type { KeepFor, KeyCache } from "../key-cache.ts";
import { sealed, unsealed } from "./envelope.ts";
import { named, orFailure } from "./failure.ts";
import { type Clock, expiryOf, ttlOf } from "./ttl.ts";

/** What is asked of a cache: `caches.default` has it, and what `caches.open(name)` resolves with. */
export interface ResponseCache {
  match(url: string): Promise<Response | undefined>;
  put(url: string, response: Response): Promise<void>;
}

/** Under which addresses entries are, and how time is told. */
export interface CacheApiOptions {
  /** What every key begins with. Default: empty, as the keys begin with `idp-janitor:` themselves. */
  readonly prefix?: string;
  /**
   * Whose addresses entries have, as in `https://login.acme.example`. The Worker's own host spares Cloudflare looking one
   * up, but in `caches.default` what your site answers under `/.idp-janitor/` would be taken for an entry, if it looked like
   * one. Default: `https://idp-janitor.invalid`, a host that is none and serves nothing.
   */
  readonly origin?: string;
  /** Milliseconds since 1970. Default: `Date.now`. */
  readonly clock?: Clock;
}

/** A year: no cache keeps a response for longer. */
const MAX_AGE = 31_536_000;

/**
 * A cache in the Cache API, which the Workers in one data centre share, and no others: to be the nearer one of
 * `layeredCache`. An entry may be gone before its time, whenever the data centre needs the room.
 *
 * The Cache API does nothing, and says nothing of it, on `workers.dev`, in previews, and behind Cloudflare Access: then
 * every `get` is null and every `add` true. Nor has it an atomic step: `add` looks, and then sets, so of several that
 * add at once each may be told that it did. It holds no cooldown by itself.
 *
 * Every Worker with the same cache can write there: `await caches.open(name)`, with a name of its own, is better than
 * `caches.default`, which the whole zone shares.
 *
 * @throws JanitorError `invalid_setting` for an origin that is none, or not of https
 */
export function cacheApi(cache: ResponseCache, options: CacheApiOptions = {}): KeyCache {
  const { prefix = "", origin = "https://idp-janitor.invalid", clock = Date.now } = options;
  checkOrigin(origin);

  /** In the path, as a zone may be told to look at no query; and never `.` or `..`, which an address resolves. */
  const addressOf = (key: string): string => `${origin}/.idp-janitor/key:${encodeURIComponent(key)}`;

  const read = (key: string): Promise<string | null> =>
    orFailure(`the Cache API could not be read at ${named(key)}`, "nothing was changed", async () => {
      const response = await cache.match(addressOf(key));
      return response ? unsealed(await response.text(), key, clock()) : null;
    });

  const write = (key: string, response: Response): Promise<void> => {
    const what = `the Cache API could not be written at ${named(key)}`;
    return orFailure(what, "it is unknown whether the value was set", () =>
      cache.put(addressOf(key), response),
    );
  };

  const responseOf = (key: string, value: string, keep: KeepFor): Response =>
    new Response(sealed({ key, value, expires: expiryOf(keep, clock) }), {
      headers: {
        "content-type": "application/json",
        // The deadline inside decides; this one lets the data centre drop the entry, and never before.
        "cache-control": `max-age=${Math.min(ttlOf(keep) + 1, MAX_AGE)}`,
      },
    });

  return {
    get: (key) => read(prefix + key),

    async put(key, value, keep) {
      await write(prefix + key, responseOf(prefix + key, value, keep));
    },

    async add(key, value, keep) {
      const response = responseOf(prefix + key, value, keep);
      if ((await read(prefix + key)) !== null) return false;
      await write(prefix + key, response);
      return true;
    },
  };
}

function checkOrigin(origin: string): void {
  if (origin.startsWith("https://") && URL.canParse(origin) && new URL(origin).origin === origin) return;
  const message = `\`origin\` is ${JSON.stringify(origin)}, and must be one of https, without a path`;
  throw new JanitorError("invalid_setting", message);
}
