/** What crosses between the core and its host on the key side. Internal: nothing of it is part of the public face. */

import type { ClientReport, KeyVerdict } from "./report.ts";

/** A provider as the core reads it. */
export interface CoreProvider {
  readonly key: string;
  readonly jwksUri?: string | undefined;
  readonly issuer?: string | undefined;
}

/** How keys are refreshed and kept; what is absent has the core's default. */
export interface CorePolicy {
  readonly timeoutSeconds?: number | undefined;
  readonly retries?: number | undefined;
  readonly minFreshSeconds?: number | undefined;
  readonly maxFreshSeconds?: number | undefined;
  readonly maxStaleSeconds?: number | undefined;
  readonly cooldownSeconds?: number | undefined;
  readonly concurrency?: number | undefined;
}

/** What to do next in a refresh. */
export type KeyEffect =
  | { readonly fetch: FetchEffect }
  | { readonly wait: number }
  | { readonly done: Refreshed };

/** A GET request to make. */
export interface FetchEffect {
  readonly url: string;
  readonly etag?: string;
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

/** What to tell and to keep at the end of a refresh. */
export interface Refreshed {
  readonly report: ClientReport;
  readonly write: { readonly key: string; readonly value: string; readonly ttlSeconds: number };
  readonly publish?: string;
}

/** What came of an effect. */
export type KeyAnswer =
  | "began"
  | "waited"
  | { readonly response: FetchedResponse }
  | { readonly failed: { readonly kind: FailureKind; readonly message: string } };

/** Why a request has no answer. */
export type FailureKind = "network" | "timeout" | "too_large" | "aborted";

/** An answer of a provider. */
export interface FetchedResponse {
  readonly status: number;
  readonly location?: string | undefined;
  readonly etag?: string | undefined;
  readonly cacheControl?: string | undefined;
  readonly age?: string | undefined;
  readonly retryAfter?: string | undefined;
  readonly body?: string | undefined;
}

/** An answer, with what the core cannot know by itself. */
export interface KeyOutcome {
  readonly answer: KeyAnswer;
  readonly elapsedMs: number;
  readonly random: number;
}

/** Under which keys the cache keeps what belongs to a provider. */
export interface CacheKeys {
  readonly entry: string;
  readonly attempt: string;
  readonly cooldown: string;
}

/** A stored entry, with the verdicts on its keys. */
export interface StoredForm {
  readonly entry: {
    readonly source: string;
    readonly uri: string;
    readonly keySet: string;
    readonly fetchedAt: string;
    readonly checkedAt: string;
    readonly freshUntil: string;
  };
  readonly keys: readonly KeyVerdict[];
  readonly usableUntil: string;
}
