/** Identity providers as they are configured. */

import { call, checkPolicy, checkProvider } from "../core.ts";
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

/** What a provider may be configured with. */
export const PROVIDER_OPTIONS: readonly string[] = ["jwksUri", "issuer", "algorithms"];

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
  call(() => checkPolicy(policy));
  if (!isObject(options)) throw invalid("`providers` must be an object of keys and providers");
  const providers = new Map<string, KnownProvider>();
  for (const [key, provider] of Object.entries(options)) {
    if (!isObject(provider))
      throw invalid(`\`providers.${key}\` must be an object with \`jwksUri\` or \`issuer\``);
    requireKnown(`provider \`${key}\``, provider, PROVIDER_OPTIONS);
    const { jwksUri, issuer, algorithms = ["RS256"] } = provider;
    const core = { key, jwksUri: normal(jwksUri, `providers.${key}.jwksUri`), issuer };
    // An issuer is compared character by character, so it stays as it is.
    normal(issuer, `providers.${key}.issuer`);
    call(() => checkProvider(core));
    checkAlgorithms(key, algorithms);
    providers.set(key, { core, algorithms });
  }
  return providers;
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(message: string): JanitorError {
  return new JanitorError("invalid_setting", message);
}

/** An address as `fetch` would write it, so that it can be compared with where a redirect leads. */
function normal(address: string | undefined, name: string): string | undefined {
  if (address === undefined) return undefined;
  if (typeof address !== "string") throw invalid(`\`${name}\` must be text`);
  if (URL.canParse(address)) return new URL(address).href;
  throw invalid(`\`${name}\` is no address: \`${address}\``);
}

function checkAlgorithms(provider: string, algorithms: readonly string[]): void {
  if (!Array.isArray(algorithms)) throw invalid(`\`algorithms\` of provider \`${provider}\` must be a list`);
  const unknown = algorithms.find((name) => !ALGORITHM_NAMES.includes(name));
  if (unknown === undefined && algorithms.length > 0) return;
  const found = unknown === undefined ? "an empty list" : `\`${unknown}\``;
  throw new JanitorError(
    "invalid_setting",
    `\`algorithms\` of provider \`${provider}\` must be of ${ALGORITHM_NAMES.join(", ")}, not ${found}`,
  );
}
