// Several clients of one provider, and what came of each.

import { createKeys, type Fetch, type KeyReport } from "idp-janitor";
import { testKey } from "../support/keys.ts";
import type { Provider } from "../support/provider.ts";
import * as scenarios from "../support/scenarios.ts";
import { type WatchedCache, watchedCache } from "./setup.ts";

/** Keys of the clients `a`, `b` and `c` of one provider, each with a path of its own. */
export function three(
  provider: Provider,
  options: { clock?: () => number; cache?: WatchedCache; fetch?: Fetch } = {},
) {
  const { cache = watchedCache(options.clock) } = options;
  const providers = Object.fromEntries(
    ["a", "b", "c"].map((client) => [client, { jwksUri: provider.jwksUri(`/${client}`) }]),
  );
  for (const client of ["a", "b", "c"])
    provider.respond(`/${client}`, scenarios.set(testKey("rs256", client)));
  return { keys: createKeys({ providers, ...options, cache }), cache };
}

/** The outcome of each client, behind its name. */
export const outcomesOf = ({ clients }: KeyReport) =>
  clients.map(({ client, outcome }) => `${client} ${outcome}`);

/** What a provider was asked for, in order. */
export const pathsOf = (provider: Provider) => provider.requests.map(({ path }) => path);
