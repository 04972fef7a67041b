import type { SettingDescription } from "../../janitor.ts";

/** `refresh_oidc_clients_jwks` as `idp-janitor list` shows it. */
export const REFRESH_KEYS: {
  readonly name: string;
  readonly summary: string;
  readonly settings: readonly SettingDescription[];
} = {
  name: "refresh_oidc_clients_jwks",
  summary: "signing keys of identity providers, fetched, judged, and kept in a cache",
  settings: [
    setting("timeoutSeconds", 30, "how long one client may take, retries included"),
    setting("retries", 3, "how often a request that failed for the moment is made again"),
    setting("minFreshSeconds", 300, "how long keys are fresh at least"),
    setting("maxFreshSeconds", 86_400, "how long keys are fresh at most"),
    setting("maxStaleSeconds", 604_800, "how long keys are used that the provider has not confirmed"),
    setting("concurrency", 6, "how many clients are refreshed at once"),
  ],
};

function setting(name: string, value: number, summary: string): SettingDescription {
  return { name, default: value, summary };
}
