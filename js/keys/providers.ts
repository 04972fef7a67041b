/** Identity providers as they are configured. */

import { call, checkProvider } from "../core.ts";
import { JanitorError } from "../errors.ts";
import { requireKnown } from "../known.ts";
import type { CorePolicy, CoreProvider } from "./effects.ts";
import { ALGORITHM_NAMES } from "./verify.ts";

/** An identity provider. One of `jwksUri` and `issuer` must be there. */
export interface ProviderOptions {
  /** Where its key set is, https only. Default: what the discovery document of `issuer` says. */
  readonly jwksUri?: string;
  /**
   * Its issuer, https only, character by character as it stands in tokens and in its discovery document. `{tenantid}` in it
   * stands for the token's `tid`, as Microsoft has it. Needed to verify ID tokens.
   */
  readonly issuer?: string;
  /** The algorithms that ID tokens may be signed with. Default `["RS256"]`, as HIdP has it. */
  readonly algorithms?: readonly string[];
}

const PROVIDER_OPTIONS = ["jwksUri", "issuer", "algorithms"];

/** A provider as it is configured. */
export interface KnownProvider {
  readonly core: CoreProvider;
  readonly algorithms: readonly string[];
}

/**
 * Reads providers, and holds them and the policy against what they may be.
 *
 * @throws JanitorError `unknown_setting`, `invalid_setting`
 */
export function readProviders(
  options: Readonly<Record<string, ProviderOptions>>,
  policy: CorePolicy,
): ReadonlyMap<string, KnownProvider> {
  const providers = new Map<string, KnownProvider>();
  for (const [key, provider] of Object.entries(options)) {
    requireKnown(`provider \`${key}\``, provider, PROVIDER_OPTIONS);
    const { jwksUri, issuer, algorithms = ["RS256"] } = provider;
    const core = { key, jwksUri: normal(jwksUri, `providers.${key}.jwksUri`), issuer };
    // An issuer is compared character by character, so it stays as it is.
    normal(issuer?.replace("{tenantid}", "tenant"), `providers.${key}.issuer`);
    call(() => checkProvider(core, policy));
    checkAlgorithms(key, algorithms);
    providers.set(key, { core, algorithms });
  }
  return providers;
}

/** An address as `fetch` would write it, so that it can be compared with where a redirect leads. */
function normal(address: string | undefined, name: string): string | undefined {
  if (address === undefined) return undefined;
  if (URL.canParse(address)) return new URL(address).href;
  throw new JanitorError("invalid_setting", `\`${name}\` is no address: \`${address}\``);
}

function checkAlgorithms(provider: string, algorithms: readonly string[]): void {
  const unknown = algorithms.find((name) => !ALGORITHM_NAMES.includes(name));
  if (unknown === undefined && algorithms.length > 0) return;
  const found = unknown === undefined ? "an empty list" : `\`${unknown}\``;
  throw new JanitorError(
    "invalid_setting",
    `\`algorithms\` of provider \`${provider}\` must be of ${ALGORITHM_NAMES.join(", ")}, not ${found}`,
  );
}
