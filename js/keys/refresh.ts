/** Performs what the core asks for in a refresh, until it is done, and keeps what came of it. */

import { call, free, Refresh } from "../core.ts";
import { JanitorError } from "../errors.ts";
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
  const done = await performRefresh(provider, options);
  try {
    await keep(done, provider, options.cache);
    return done.report;
  } catch (error) {
    return notKept(done.report, error);
  }
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

async function keep({ write, publish }: Refreshed, provider: CoreProvider, cache: KeyCache): Promise<void> {
  const { key, value, ttlSeconds } = write;
  await cache.put(key, value, { ttlSeconds });
  if (publish !== undefined) await cache.publish?.(provider.key, publish, { ttlSeconds });
}

/** Keys that could not be kept are of no use to anybody: the refresh has failed. */
function notKept(report: ClientReport, error: unknown): ClientReport {
  const known = error instanceof JanitorError ? error : new JanitorError("cache_failed", String(error));
  // A failure of the provider says more about what is to be done than that its record could not be kept.
  if (report.error) return { ...report, warnings: [...report.warnings, known.message] };
  const { client, uri, warnings } = report;
  const nothing = { keys: [], added: [], removed: [], changed: [] };
  const { code, message } = known;
  return { client, uri, outcome: "failed", ...nothing, error: { code, message }, warnings };
}
