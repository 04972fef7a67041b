import { call, requireCore } from "../core.ts";
import { JanitorError } from "../errors.ts";
import type { KeyCache } from "../key-cache.ts";
import { requireKnown } from "../known.ts";
import { wordsOf } from "../words.ts";
import { eachLimited } from "./each-limited.ts";
import type { CoreProvider } from "./effects.ts";
import type { Fetch } from "./fetch.ts";
import type { IdTokenClaims, IdTokenOptions } from "./id-token.ts";
import { IdTokens } from "./id-tokens.ts";
import { type KnownProvider, type ProviderOptions, readProviders } from "./providers.ts";
import type { ImportedKey, PublicKey } from "./public-key.ts";
import { Reader } from "./reader.ts";
import { refreshClient } from "./refresh.ts";
import type { ClientReport, KeyReport, KeyStatus } from "./report.ts";
import { StoredKeySets } from "./stored.ts";

/** What the keys are made from. Every number is whole. */
export interface KeysOptions {
  /** The providers by their keys, which are what HIdP calls `provider_key`: 1 to 100 letters, digits and `-._~/`. */
  readonly providers: Readonly<Record<string, ProviderOptions>>;
  /** Where key sets are kept. Who can write there decides whose tokens are accepted. */
  readonly cache: KeyCache;
  /** Makes requests in place of gloo-net. Must not follow redirects when it is told `redirect: "manual"`. */
  readonly fetch?: Fetch;
  /** Seconds that the refresh of one provider may take, retries included, 1 to 600. Default 30. */
  readonly timeoutSeconds?: number;
  /** How often a request that failed for the moment is made again, 0 to 10. Default 3. */
  readonly retries?: number;
  /**
   * Seconds that keys are fresh at least, whatever the provider's `Cache-Control` says, 0 to `maxFreshSeconds`. Default 300, or
   * `maxFreshSeconds` where that is less.
   */
  readonly minFreshSeconds?: number;
  /**
   * Seconds that keys are fresh at most, whatever the provider's `Cache-Control` says, `minFreshSeconds` to `maxStaleSeconds`.
   * Default 86,400, or `maxStaleSeconds` where that is less.
   */
  readonly maxFreshSeconds?: number;
  /**
   * Seconds after which keys that the provider has not confirmed are used no more, 1 to 31,622,400 (366 days), and no less than
   * `maxFreshSeconds`. Default 604,800, a week.
   */
  readonly maxStaleSeconds?: number;
  /** Seconds between two refreshes that readers ask for, 1 to 86,400. Default 60. */
  readonly cooldownSeconds?: number;
  /** How many providers are refreshed at once, 1 to 100. Default 6. */
  readonly concurrency?: number;
  /** Told what a person should know of what readers do; a `refresh` that is asked for tells it in its report. Default: `console.warn`. */
  readonly onWarning?: (message: string) => void;
  /** Milliseconds since 1970. Default: `Date.now`. */
  readonly clock?: () => number;
}

/** How a refresh goes. */
export interface KeyRefreshOptions {
  /** Only these providers. Default: all of them. */
  readonly only?: readonly string[];
  /** Leaves out providers whose keys are still fresh; they are not in the report. Default false. */
  readonly onlyStale?: boolean;
  /** Ends the refresh: what is in hand fails with `aborted`, and what was kept stays. */
  readonly signal?: AbortSignal;
  /** Told when the refresh of a client begins. What it throws ends the refresh of all. */
  readonly onClient?: (client: string, uri: string) => void;
}

/** The keys of a provider, in the form that jose's `jwksCache` has. */
export interface CachedKeySet {
  /** The usable keys, their registered public members only. */
  readonly jwks: { readonly keys: PublicKey[] };
  /** When the provider last said that they hold, in milliseconds since 1970. */
  readonly uat: number;
}

/** The signing keys of providers: refreshed, kept, and used. */
export interface Keys {
  /**
   * Asks the providers for their keys. What fails is told in the report of its client: its keys stay what they were.
   *
   * @throws JanitorError `unknown_provider`, `unknown_setting`, `invalid_setting`; `cache_failed` with `onlyStale` alone
   */
  refresh(options?: KeyRefreshOptions): Promise<KeyReport>;
  /**
   * The keys of a provider from the cache. If there are none that may be used, they are fetched reluctantly: with a warning,
   * and once in `cooldownSeconds` however many ask.
   *
   * @throws JanitorError `unknown_provider`, `keys_unavailable`, `cache_failed`
   */
  get(provider: string): Promise<CachedKeySet>;
  /**
   * Finds the key of a token for jose's `jwtVerify`. An unknown key id leads to one refresh in `cooldownSeconds`.
   *
   * @throws JanitorError `unknown_provider`; what it returns rejects with `keys_unavailable`, `cache_failed`, and where
   * the token is not to be accepted `token_malformed`, `token_algorithm`, `token_key`: also where several keys would do
   */
  resolver(provider: string): (header: { alg?: string; kid?: string }) => Promise<ImportedKey>;
  /**
   * Verifies an ID token by the checks of HIdP, and gives its claims.
   *
   * @throws JanitorError a `token_*` code where the token is not to be accepted; `unknown_provider`, `keys_unavailable`,
   * `cache_failed`, `invalid_setting`, `unknown_setting`, `invalid_instant` where that cannot be found out
   */
  verifyIdToken(token: string, options: IdTokenOptions): Promise<IdTokenClaims>;
  /**
   * What the cache has of each provider. Asks no provider.
   *
   * @throws JanitorError `cache_failed`
   */
  status(): Promise<readonly KeyStatus[]>;
}

const POLICY_OPTIONS = [
  "timeoutSeconds",
  "retries",
  "minFreshSeconds",
  "maxFreshSeconds",
  "maxStaleSeconds",
  "cooldownSeconds",
  "concurrency",
];
const KEYS_OPTIONS = ["providers", "cache", "fetch", "onWarning", "clock", ...POLICY_OPTIONS];
const REFRESH_OPTIONS = ["only", "onlyStale", "signal", "onClient"];

/**
 * Makes the keys of providers. Nothing is asked for before it is used; settings are checked now.
 *
 * @throws JanitorError `unknown_setting`, `invalid_setting`; `not_loaded` before `init()`
 */
export function createKeys(options: KeysOptions): Keys {
  requireCore();
  requireKnown("createKeys", options ?? {}, KEYS_OPTIONS);
  checkCache(options?.cache);
  const { cache, fetch, concurrency = 6, cooldownSeconds = 60, clock = Date.now } = options;
  const { timeoutSeconds, retries, minFreshSeconds, maxFreshSeconds, maxStaleSeconds } = options;
  const onWarning = options.onWarning ?? ((message: string) => console.warn(`idp-janitor: ${message}`));
  const policy = { timeoutSeconds, retries, minFreshSeconds, maxFreshSeconds, maxStaleSeconds };
  const providers = readProviders(options.providers, { ...policy, cooldownSeconds, concurrency });
  const stored = new StoredKeySets(cache, policy);

  const named = (name: string): KnownProvider => {
    const provider = providers.get(name);
    if (provider) return provider;
    throw new JanitorError(
      "unknown_provider",
      `there is no provider \`${name}\` among those that are configured`,
    );
  };
  const refreshOne = async (provider: CoreProvider, signal?: AbortSignal): Promise<ClientReport> => {
    let unread: string[] = [];
    const previous = await stored.text(provider).catch((error: unknown) => {
      unread = [`whether there are keys from before is not known: ${wordsOf(error)}`];
      return undefined;
    });
    const now = new Date(clock()).toISOString();
    const report = await refreshClient(provider, { cache, policy, fetch, signal, now, previous });
    return unread.length === 0 ? report : { ...report, warnings: [...report.warnings, ...unread] };
  };
  const reader = new Reader({ cache, stored, cooldownSeconds, clock, onWarning, refresh: refreshOne });
  const tokens = new IdTokens(reader, clock);

  return {
    async refresh(refresh = {}) {
      requireKnown("a refresh of keys", refresh, REFRESH_OPTIONS);
      const { only, onlyStale = false, signal, onClient } = refresh;
      if (only !== undefined && !Array.isArray(only)) {
        throw new JanitorError("invalid_setting", "`only` must be a list of providers");
      }
      const wanted: CoreProvider[] = [];
      for (const { core } of only?.map(named) ?? providers.values()) {
        if (!onlyStale || !(await stored.keepFresh(core, clock()))) wanted.push(core);
      }
      const clients = await eachLimited(wanted, concurrency, (provider) => {
        onClient?.(provider.key, provider.jwksUri ?? provider.issuer ?? "");
        return refreshOne(provider, signal);
      });
      return { job: "refresh_oidc_clients_jwks", clients };
    },
    async get(provider) {
      const keys = await reader.keys(named(provider).core);
      const { keySet, checkedAt } = call(() => keys.form()).entry;
      return { jwks: JSON.parse(keySet), uat: Date.parse(checkedAt) };
    },
    resolver(provider) {
      const known = named(provider);
      return ({ alg, kid }) => tokens.key(known, alg ?? "", kid);
    },
    async verifyIdToken(token, verify) {
      return tokens.verify(token, named(verify?.provider), verify);
    },
    status() {
      return Promise.all([...providers.values()].map(({ core }) => stored.status(core, clock())));
    },
  };
}

function checkCache(cache: Partial<KeyCache> | undefined): void {
  if ([cache?.get, cache?.put, cache?.add].every((own) => typeof own === "function")) return;
  throw new JanitorError(
    "invalid_setting",
    "`cache` must be a key cache: an object with `get`, `put` and `add`",
  );
}
