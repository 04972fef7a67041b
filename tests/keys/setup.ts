// Keys of one provider, in a cache that keeps a record of what was written to it.

import assert from "node:assert/strict";
import { createKeys, type Fetch, type KeyRefreshOptions, type Keys, type KeysOptions } from "idp-janitor";
import { type MemoryCache, memoryCache } from "idp-janitor/caches/memory";
import type { Provider } from "../support/provider.ts";

/** The provider that a test is about, as the configuration names it. */
export const CLIENT = "acme";
/** Where the cache has its keys: other processes read and write there too, so the names stay as they are. */
export const ENTRY = `idp-janitor:keys:${CLIENT}`;
/** The record of the last attempt that failed. */
export const ATTEMPT = `idp-janitor:attempt:${CLIENT}`;
/** There while readers may not ask for a refresh. */
export const COOLDOWN = `idp-janitor:cooldown:${CLIENT}`;

/** Who makes the requests: the package by itself, or the host. */
export const WAYS: Readonly<Record<string, { readonly fetch?: Fetch }>> = {
  "gloo-net": {},
  "the host's fetch": { fetch: globalThis.fetch },
};

/** A cache in memory that keeps a record of its writes. */
export interface WatchedCache extends MemoryCache {
  /** `put` or `add`, and the key. */
  readonly writes: string[];
}

/** A cache in memory, by a clock of its own if there is one. */
export function watchedCache(clock?: () => number): WatchedCache {
  const cache = memoryCache(clock && { clock });
  const writes: string[] = [];
  return {
    ...cache,
    writes,
    put: (key, value, keep) => {
      writes.push(`put ${key}`);
      return cache.put(key, value, keep);
    },
    add: (key, value, keep) => {
      writes.push(`add ${key}`);
      return cache.add(key, value, keep);
    },
  };
}

/** What a test looks at. */
export interface Setup {
  readonly keys: Keys;
  readonly cache: WatchedCache;
  /** What a person would have been told. */
  readonly warnings: string[];
}

/** Keys of one client, `acme`. `provider` is a running one, or how it is configured. */
export function keysOf(
  provider: Provider | KeysOptions["providers"][string],
  options: Partial<Omit<KeysOptions, "cache">> & { readonly cache?: WatchedCache } = {},
): Setup {
  const { cache = watchedCache(options.clock), ...rest } = options;
  const warnings: string[] = [];
  const onWarning = (message: string) => void warnings.push(message);
  const configured = "origin" in provider ? { jwksUri: provider.jwksUri() } : provider;
  const keys = createKeys({ providers: { [CLIENT]: configured }, onWarning, ...rest, cache });
  return { keys, cache, warnings };
}

/** The report of the one client. */
export async function refreshed({ keys }: Pick<Setup, "keys">, options?: KeyRefreshOptions) {
  const { job, clients } = await keys.refresh(options);
  assert.equal(job, "refresh_oidc_clients_jwks");
  const [report] = clients;
  assert.ok(report && clients.length === 1, `${clients.length} reports`);
  assert.equal(report.client, CLIENT);
  return report;
}

/** The report of a refresh that must not have failed. */
export async function refreshedWell(setup: Pick<Setup, "keys">, options?: KeyRefreshOptions) {
  const report = await refreshed(setup, options);
  assert.equal(report.error, undefined);
  return report;
}

/** The ids of the keys that readers are given. */
export async function kidsOf({ keys }: Pick<Setup, "keys">): Promise<(string | undefined)[]> {
  const { jwks } = await keys.get(CLIENT);
  return jwks.keys.map((key) => Reflect.get(key, "kid"));
}

/** Seconds between two instants as a report has them. */
export function secondsBetween(earlier: string | undefined, later: string | undefined): number {
  return (Date.parse(later ?? "") - Date.parse(earlier ?? "")) / 1000;
}

/** The error that work rejects with, which must be of this package. */
export async function refusal(work: Promise<unknown>): Promise<{ code: string; message: string }> {
  const error: unknown = await work.then(
    () => assert.fail("this should have been refused"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Error && error.name === "JanitorError" && "code" in error, String(error));
  return { code: String(error.code), message: error.message };
}
