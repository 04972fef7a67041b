/** The contract of key caches: small texts under short keys, each for a time. */

/** For how long a value is there. */
export interface KeepFor {
  /** Seconds, whole, 1 or more. The time is never over before them, and may be up to a second later. */
  readonly ttlSeconds: number;
}

/**
 * A cache of key sets of identity providers, and of records about them. Several processes may share one.
 *
 * Keys are up to 200 characters. Values are well-formed Unicode without U+0000; some caches hold more.
 */
export interface KeyCache {
  /**
   * The value, or null where there is none or its time is over.
   *
   * @throws JanitorError `cache_failed` if the cache cannot be read, or holds something other than text there
   */
  get(key: string): Promise<string | null>;
  /**
   * Sets the value, whatever was there.
   *
   * @throws JanitorError `invalid_setting` for another `ttlSeconds`; nothing was changed
   * @throws JanitorError `cache_failed`; the message says whether the value may have been set all the same
   */
  put(key: string, value: string, options: KeepFor): Promise<void>;
  /**
   * Sets the value where there is none, or only one whose time is over, as one atomic step, and tells whether it did.
   * This carries cooldowns that processes share.
   *
   * @throws JanitorError as {@link put}
   */
  add(key: string, value: string, options: KeepFor): Promise<boolean>;
  /**
   * Only of caches that another product reads: sets what that product reads as the key set of a provider.
   *
   * @param provider the name by which the product knows the provider
   * @param keySet the JSON text of the key set
   * @throws JanitorError as {@link put}
   */
  publish?(provider: string, keySet: string, options: KeepFor): Promise<void>;
}
