// What a login does: it reads the keys of a provider, and verifies a token of its.

import type { KeysOptions } from "idp-janitor";
import { signToken, testKey } from "../support/keys.ts";
import type { Provider } from "../support/provider.ts";
import { CLIENT, keysOf, type Setup } from "./setup.ts";

export const AUDIENCE = "client-1";

/** A provider with its issuer, so that its tokens can be verified. */
export const configured = (provider: Provider) => ({ jwksUri: provider.jwksUri(), issuer: provider.issuer });

/** Keys by a clock that a test moves, and that their cache has too. */
export function clocked(provider: Provider, options: Partial<Omit<KeysOptions, "cache">> = {}) {
  let now = Date.UTC(2026, 5, 1);
  const clock = () => now;
  const setup = keysOf(configured(provider), { clock, ...options });
  const elapse = (seconds: number) => {
    now += seconds * 1000;
  };
  return { ...setup, elapse };
}

/** A token of a provider, signed by one of its keys, under any id. */
export function tokenOf({ issuer }: Provider, kid?: string, key = testKey("rs256")): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, sub: "1", aud: AUDIENCE, iat: now, exp: now + 600 };
  return signToken(key, claims, kid === undefined ? {} : { kid });
}

/** Verifies a token, and gives its claims. */
export const verify = ({ keys }: Pick<Setup, "keys">, token: string) =>
  keys.verifyIdToken(token, { provider: CLIENT, audience: AUDIENCE, now: new Date() });
