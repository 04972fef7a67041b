/** Performs what the core asks for in a refresh, until it is done, and keeps what came of it. */

import { cacheKeys, call, free, Refresh, StoredKeys } from "../core.ts";
import { type ErrorCode, JanitorError } from "../errors.ts";
import type { KeyCache } from "../key-cache.ts";
import type { CorePolicy, CoreProvider, KeyAnswer, KeyEffect, KeyOutcome, Refreshed } from "./effects.ts";
import { type Fetch, send } from "./fetch.ts";
import type { ClientReport } from "./report.ts";

/** What a refresh is made with. */
export interface RefreshOptions {
  readonly cache: KeyCache;
  readonly policy: CorePolicy;
  readonly fetch: Fetch | undefined;
  readonly signal: AbortSignal | undefined;
  /** The instant that it begins, RFC 3339. */
  readonly now: string;
  /** The entry that the cache has. */
  readonly previous: string | undefined;
}

/** Refreshes the keys of one provider. A failure is told in the report, that of the cache too. */
export async function refreshClient(provider: CoreProvider, options: RefreshOptions): Promise<ClientReport> {
  const { report, write, publish } = await performRefresh(provider, options).catch((error: unknown) => ({
    report: brokenReport(provider, error),
    write: undefined,
    publish: undefined,
  }));
  // That somebody ended it says nothing about the provider.
  if (write === undefined || report.error?.code === "aborted") return report;
  const { key, value, ttlSeconds } = write;
  try {
    if (report.error === undefined && (await isNewer(provider, options))) {
      const newer = "another refresh has kept newer keys meanwhile: they stay";
      return { ...report, warnings: [...report.warnings, newer] };
    }
    await options.cache.put(key, value, { ttlSeconds });
  } catch (error) {
    return notKept(report, error);
  }
  try {
    if (publish !== undefined) await options.cache.publish?.(provider.key, publish, { ttlSeconds });
    return report;
  } catch (error) {
    return { ...report, outcome: "failed", error: toldOf(error) };
  }
}

/** Whether somebody has kept keys that are newer than the beginning of this refresh. */
async function isNewer(
  provider: CoreProvider,
  { cache, now, policy, previous }: RefreshOptions,
): Promise<boolean> {
  // Where that cannot be found out, keys that are good are worth more than keys that may be there.
  const text = await cache.get(cacheKeys(provider.key).entry).catch(() => null);
  if (text === null || text === previous || typeof text !== "string") return false;
  const stored = call(() => StoredKeys.read(text, provider, policy));
  return stored !== undefined && Date.parse(call(() => stored.form()).entry.checkedAt) > Date.parse(now);
}

async function performRefresh(provider: CoreProvider, options: RefreshOptions): Promise<Refreshed> {
  const { policy, now, previous, fetch, signal } = options;
  const refresh = call(() => new Refresh(provider, policy, now, previous));
  const began = performance.now();
  let answer: KeyAnswer = "began";
  try {
    for (;;) {
      const outcome: KeyOutcome = { answer, elapsedMs: performance.now() - began, random: Math.random() };
      const effect: KeyEffect = call(() => refresh.next(outcome));
      if ("done" in effect) return effect.done;
      answer = "wait" in effect ? await wait(effect.wait, signal) : await send(effect.fetch, fetch, signal);
    }
  } finally {
    free(refresh);
  }
}

function wait(ms: number, signal: AbortSignal | undefined): Promise<KeyAnswer> {
  return new Promise((resolve) => {
    const end = (answer: KeyAnswer) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      resolve(answer);
    };
    const abort = () => end({ failed: { kind: "aborted", message: "" } });
    const timer = setTimeout(() => end("waited"), ms);
    signal?.addEventListener("abort", abort);
    if (signal?.aborted) abort();
  });
}

/** Keys that could not be kept are of no use to anybody: the refresh has failed. */
function notKept(report: ClientReport, error: unknown): ClientReport {
  const told = toldOf(error);
  // A failure of the provider says more about what is to be done than that its record could not be kept.
  if (report.error) return { ...report, warnings: [...report.warnings, told.message] };
  const { client, uri, warnings } = report;
  return { client, uri, outcome: "failed", ...NO_KEYS, error: told, warnings };
}

/** The report of a refresh that came to no end of its own. */
function brokenReport(provider: CoreProvider, error: unknown): ClientReport {
  const uri = provider.jwksUri ?? provider.issuer ?? "";
  const told = error instanceof JanitorError ? error : new JanitorError("internal", String(error));
  return { client: provider.key, uri, outcome: "failed", ...NO_KEYS, error: toldOf(told), warnings: [] };
}

const NO_KEYS = { keys: [], added: [], removed: [], changed: [] };

function toldOf(error: unknown): { code: ErrorCode; message: string } {
  const { code, message } =
    error instanceof JanitorError ? error : new JanitorError("cache_failed", String(error));
  return { code, message };
}
