import { JanitorError } from "../../errors.ts";
import { PROVIDER_OPTIONS } from "../../keys/providers.ts";
import { checkText, checkWholeNumber, invalid, unknown } from "../checks.ts";
import { isPlainObject } from "../values.ts";

/**
 * A client as the configuration names it: the address of its key set, or what `createKeys` takes of a provider. The command line
 * verifies no tokens, so `algorithms` is only held against what it may be.
 */
export type ConfiguredClient =
  | string
  | { readonly jwksUri?: string; readonly issuer?: string; readonly algorithms?: readonly string[] };

/** What a configuration file may say of signing keys; flags go before it. Every entry is optional. */
export interface KeysConfig {
  /** The clients by their keys, each of 1 to 100 letters, digits and `-._~/`. */
  readonly clients?: Readonly<Record<string, ConfiguredClient>>;
  /** `sqlite:PATH`, `redis://…`, `rediss://…` or `django-db:TABLE`; a relative path starts at the working directory. */
  readonly cache?: string;
  /** How a Redis is laid out: `plain` (the default), or `django` for a Django process to read. */
  readonly cacheLayout?: "plain" | "django";
  /** Django's `KEY_PREFIX`, where a Django process is to read. Default: empty. */
  readonly cachePrefix?: string;
  /** Django's `VERSION`, where a Django process is to read. Default: 1. */
  readonly cacheVersion?: number;
  /** Seconds that the refresh of one client may take, 1 to 600. Default 30. */
  readonly timeoutSeconds?: number;
  /** How often a request that failed for the moment is made again, 0 to 10. Default 3. */
  readonly retries?: number;
  /** Seconds that keys are fresh at least, 0 to `maxFreshSeconds`. Default 300, or `maxFreshSeconds` where that is less. */
  readonly minFreshSeconds?: number;
  /** Seconds that keys are fresh at most, `minFreshSeconds` to `maxStaleSeconds`. Default 86,400, or `maxStaleSeconds` where that is less. */
  readonly maxFreshSeconds?: number;
  /**
   * Seconds after which keys that the provider has not confirmed are used no more, 1 to 31,622,400 (366 days), and no less than
   * `maxFreshSeconds`. Default 604,800.
   */
  readonly maxStaleSeconds?: number;
  /** How many clients are refreshed at once, 1 to 100. Default 6. */
  readonly concurrency?: number;
}

/** Refuses a value by throwing. */
type Check = (value: unknown, where: string) => void;

const CHECKS: Readonly<Record<keyof KeysConfig, Check>> = {
  clients,
  cache: checkText,
  cacheLayout: layout,
  cachePrefix: prefix,
  cacheVersion: checkWholeNumber(0),
  timeoutSeconds: checkWholeNumber(1, 600),
  retries: checkWholeNumber(0, 10),
  minFreshSeconds: checkWholeNumber(0),
  maxFreshSeconds: checkWholeNumber(0),
  maxStaleSeconds: checkWholeNumber(1),
  concurrency: checkWholeNumber(1, 100),
};

/** Holds the entry `keys` of a configuration against what it may say; the core holds the values against each other. */
export function checkKeysConfig(value: unknown, where: string): void {
  if (!isPlainObject(value)) throw invalid(where, "an object of settings", value);
  for (const [name, setting] of Object.entries(value)) {
    if (!isSetting(name)) throw unknown(`setting \`${name}\` under ${where}`, name, Object.keys(CHECKS));
    if (setting !== undefined) CHECKS[name](setting, `\`${name}\` of ${where}`);
  }
}

/** Holds the value of one flag against the same checks. */
export function checkKeysFlag(setting: keyof KeysConfig, value: unknown, flag: string): void {
  CHECKS[setting](value, `\`${flag}\``);
}

function isSetting(name: string): name is keyof KeysConfig {
  return Object.hasOwn(CHECKS, name);
}

function clients(value: unknown, where: string): void {
  if (!isPlainObject(value)) throw invalid(where, "an object of clients and their addresses", value);
  for (const [key, client] of Object.entries(value)) {
    if (typeof client === "string") continue;
    if (isPlainObject(client)) {
      const strange = Object.keys(client).find((name) => !PROVIDER_OPTIONS.includes(name));
      if (strange === undefined) continue;
      throw unknown(`setting \`${strange}\` of \`${key}\` of ${where}`, strange, PROVIDER_OPTIONS);
    }
    throw invalid(`\`${key}\` of ${where}`, "an address, or an object with `jwksUri` or `issuer`", client);
  }
}

function layout(value: unknown, where: string): void {
  if (value !== "plain" && value !== "django") throw invalid(where, "`plain` or `django`", value);
}

function prefix(value: unknown, where: string): void {
  if (typeof value !== "string") throw new JanitorError("invalid_setting", `${where} must be text`);
}
