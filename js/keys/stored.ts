/** What the cache has of each provider, read and judged once for as long as its text stays the same. */

import { cacheKeys, call, readAttempt, StoredKeys } from "../core.ts";
import { JanitorError } from "../errors.ts";
import type { KeyCache } from "../key-cache.ts";
import type { CorePolicy, CoreProvider } from "./effects.ts";
import type { FailedAttempt, KeyStatus } from "./report.ts";

/** Reads the stored keys of providers. */
export class StoredKeySets {
  readonly #cache: KeyCache;
  readonly #policy: CorePolicy;
  readonly #read = new Map<string, { readonly text: string; readonly keys: StoredKeys | undefined }>();

  constructor(cache: KeyCache, policy: CorePolicy) {
    this.#cache = cache;
    this.#policy = policy;
  }

  /** The text of the entry, as a refresh takes it. */
  async text(provider: CoreProvider): Promise<string | undefined> {
    return this.#text(cacheKeys(provider.key).entry);
  }

  /** The stored keys of a provider, if there are any of it as it is configured now, however old. */
  async get(provider: CoreProvider): Promise<StoredKeys | undefined> {
    const text = await this.text(provider);
    const known = this.#read.get(provider.key);
    if (known && known.text === text) return known.keys;
    this.#read.delete(provider.key);
    if (text === undefined) return undefined;
    // What it replaces is not freed: somebody may hold it still. It goes with the garbage.
    const keys = call(() => StoredKeys.read(text, provider, this.#policy));
    this.#read.set(provider.key, { text, keys });
    return keys;
  }

  /** The same, unless they are too old to be used. */
  async usable(provider: CoreProvider, now: number): Promise<StoredKeys | undefined> {
    const keys = await this.get(provider);
    return keys && call(() => keys.state(now)) !== "too_old" ? keys : undefined;
  }

  /**
   * Whether the keys of a provider are fresh. If they are, they are published once more: what another product reads may have
   * been culled from its cache, or written over.
   */
  async keepFresh(provider: CoreProvider, now: number): Promise<boolean> {
    const keys = await this.get(provider);
    if (!keys || call(() => keys.state(now)) !== "fresh") return false;
    const { entry, usableUntil } = call(() => keys.form());
    const ttlSeconds = Math.max(1, Math.ceil((Date.parse(usableUntil) - now) / 1000));
    await this.#cache.publish?.(provider.key, entry.keySet, { ttlSeconds });
    return true;
  }

  /** What was read last, unless it is too old to be used: for as long as the cache itself cannot be asked. */
  known(provider: CoreProvider, now: number): StoredKeys | undefined {
    const keys = this.#read.get(provider.key)?.keys;
    return keys && call(() => keys.state(now)) !== "too_old" ? keys : undefined;
  }

  /** Some caches parse what looks like JSON; that would come to nothing good in wasm. */
  async #text(key: string): Promise<string | undefined> {
    const text: unknown = (await this.#cache.get(key)) ?? undefined;
    if (text === undefined || typeof text === "string") return text;
    throw new JanitorError(
      "cache_failed",
      `the cache gave something at \`${key}\` that is no text; nothing was changed`,
    );
  }

  /** The last attempt that failed, if the cache still has its record. */
  async attempt(provider: CoreProvider): Promise<FailedAttempt | undefined> {
    const text = await this.#text(cacheKeys(provider.key).attempt);
    return text === undefined ? undefined : call(() => readAttempt(text));
  }

  /** All of it, to be shown. */
  async status(provider: CoreProvider, now: number): Promise<KeyStatus> {
    const attempt = await this.attempt(provider);
    const keys = await this.get(provider);
    const client = provider.key;
    if (!keys) return { client, state: "missing", keys: [], ...(attempt && { lastFailure: attempt }) };
    const { entry, keys: verdicts, usableUntil } = call(() => keys.form());
    const { uri, fetchedAt, checkedAt, freshUntil } = entry;
    return {
      client,
      state: call(() => keys.state(now)),
      ...{ uri, keys: verdicts, fetchedAt, checkedAt, freshUntil, usableUntil },
      ...(attempt && attempt.at > checkedAt && { lastFailure: attempt }),
    };
  }
}
