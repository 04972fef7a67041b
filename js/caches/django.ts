/** What Django's caches have in common: how keys are made, and what HIdP keeps under which. */

import { JanitorError } from "../errors.ts";
import { named } from "./failure.ts";
import { unpickleText } from "./pickle.ts";

/** The parts of Django's cache setting that are in its keys. A cache with a `KEY_FUNCTION` of its own is not supported. */
export interface DjangoKeyOptions {
  /** Django's `KEY_PREFIX`. Default: empty, as in Django. */
  readonly keyPrefix?: string;
  /** Django's `VERSION`. Default: 1, as in Django. */
  readonly version?: number;
}

/** A key as Django stores it: `PREFIX:VERSION:KEY`. */
export function djangoKey(key: string, { keyPrefix = "", version = 1 }: DjangoKeyOptions): string {
  return `${keyPrefix}:${version}:${key}`;
}

/** The key under which HIdP looks for the key set of a provider, before Django adds prefix and version. */
export function hidpKey(provider: string): string {
  return `hidp:oidc_client_jwks:${provider}`;
}

/**
 * The text that Django pickled.
 *
 * @param key as it is stored, for the message
 * @throws JanitorError `cache_failed` if it is anything but a pickled `str`
 */
export function djangoText(key: string, pickled: Uint8Array): string {
  const text = unpickleText(pickled);
  if (text !== null) return text;
  const message = `Django's cache holds no pickled text at ${named(key)}; nothing was changed`;
  throw new JanitorError("cache_failed", message);
}
