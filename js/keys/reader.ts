/** Reading as a login needs it: from the cache, and reluctantly from the provider. */

import { cacheKeys, call, type StoredKeys } from "../core.ts";
import { JanitorError } from "../errors.ts";
import type { KeyCache } from "../key-cache.ts";
import { wordsOf } from "../words.ts";
import type { CoreProvider } from "./effects.ts";
import type { ClientReport } from "./report.ts";
import { shown } from "./shown.ts";
import type { StoredKeySets } from "./stored.ts";

/** How long after the beginning of a cooldown another process may still be busy fetching, in milliseconds. */
const IN_FLIGHT_MS = 5000;
/** How often the cache is looked at meanwhile, in milliseconds. */
const GLANCE_MS = 250;

/** How time goes by while a reader waits. */
export interface Waiting {
  /** Milliseconds since some moment; they never go back. */
  readonly elapsed: () => number;
  /** Lets so many milliseconds go by. */
  readonly pause: (ms: number) => Promise<void>;
}

const REAL: Waiting = {
  elapsed: () => performance.now(),
  pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/** What a reader is made with. */
export interface ReaderOptions {
  readonly cache: KeyCache;
  readonly stored: StoredKeySets;
  readonly cooldownSeconds: number;
  /** The clock, in milliseconds since 1970. */
  readonly clock: () => number;
  /** Default: as time goes by for everybody. */
  readonly waiting?: Waiting;
  readonly onWarning: (message: string) => void;
  readonly refresh: (provider: CoreProvider) => Promise<ClientReport>;
}

/** Reads keys for those who verify tokens. */
export class Reader {
  readonly #options: ReaderOptions;
  /** The refresh that this process has in hand, by provider: whoever needs the same waits for it. */
  readonly #inHand = new Map<string, Promise<void>>();

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /**
   * The keys of a provider, with a key of that id if the provider has one.
   *
   * @throws JanitorError `keys_unavailable`, `cache_failed`
   */
  async keys(provider: CoreProvider, kid?: string): Promise<StoredKeys> {
    const { stored, clock } = this.#options;
    const found = await stored.usable(provider, clock()).catch((error: unknown) => {
      const known = stored.known(provider, clock());
      if (!known) throw error;
      const keys = `the keys of \`${provider.key}\` are used that were read last`;
      this.#warn(`the cache failed, and ${keys}: ${wordsOf(error)}`);
      return known;
    });
    if (found && (kid === undefined || found.has(kid))) return found;
    await this.#refreshOnce(provider, kid, found !== undefined);
    const keys = await stored.usable(provider, clock());
    if (keys) return keys;
    throw await this.#unavailable(provider);
  }

  #refreshOnce(provider: CoreProvider, kid: string | undefined, hasKeys: boolean): Promise<void> {
    const inHand = this.#inHand.get(provider.key);
    if (inHand) return inHand;
    const refresh = this.#refresh(provider, kid, hasKeys).finally(() => this.#inHand.delete(provider.key));
    this.#inHand.set(provider.key, refresh);
    return refresh;
  }

  async #refresh(provider: CoreProvider, kid: string | undefined, hasKeys: boolean): Promise<void> {
    const { cache, cooldownSeconds, clock, refresh } = this.#options;
    const { cooldown } = cacheKeys(provider.key);
    if (!(await cache.add(cooldown, new Date(clock()).toISOString(), { ttlSeconds: cooldownSeconds })))
      return this.#waitForOthers(provider);
    const why = hasKeys
      ? `the keys of \`${provider.key}\` have none with the id \`${shown(kid ?? "")}\`: asking the provider for new ones`
      : `the keys of \`${provider.key}\` are not in the cache: fetching them reluctantly; refresh them by a job`;
    this.#warn(why);
    const report = await refresh(provider);
    if (report.error) {
      this.#warn(`the keys of \`${provider.key}\` could not be refreshed: ${report.error.message}`);
    }
    for (const warning of report.warnings) this.#warn(`\`${provider.key}\`: ${warning}`);
  }

  /** What comes of telling is of no account to a login. */
  #warn(message: string): void {
    try {
      this.#options.onWarning(message);
    } catch {
      // Whoever is told has lost it.
    }
  }

  /** Somebody else began a refresh within the cooldown. It may be fetching still; then its keys are here in a moment. */
  async #waitForOthers(provider: CoreProvider): Promise<void> {
    const { cache, clock, stored, waiting = REAL } = this.#options;
    const since = Date.parse((await cache.get(cacheKeys(provider.key).cooldown)) ?? "");
    // By our own time, and never for longer: the clock of whoever began may be far ahead of ours.
    const end = waiting.elapsed() + IN_FLIGHT_MS - Math.max(clock() - since, 0);
    while (waiting.elapsed() < end) {
      const keys = await stored.get(provider);
      const checked = keys && call(() => keys.form()).entry.checkedAt;
      const ended = [checked, (await stored.attempt(provider))?.at];
      if (ended.some((at) => at !== undefined && Date.parse(at) >= since)) return;
      await waiting.pause(GLANCE_MS);
    }
  }

  async #unavailable(provider: CoreProvider): Promise<JanitorError> {
    const attempt = await this.#options.stored.attempt(provider);
    const why = attempt
      ? `the last attempt (${attempt.at}) failed: ${attempt.message}`
      : "the cache has none";
    const message = `there are no keys of \`${provider.key}\` that may be used, and so no token is accepted; ${why}`;
    return new JanitorError("keys_unavailable", message);
  }
}
