import { JanitorError } from "../../errors.ts";
import type { JobDescription } from "../../janitor.ts";
import { type ProviderOptions, readProviders } from "../../keys/providers.ts";
import { checkFlag } from "../checks.ts";
import { loadConfig } from "../config.ts";
import { malformed, numberOf, split } from "../flag-values.ts";
import { databaseOfEnvironment } from "../options.ts";
import { defined } from "../values.ts";
import { type ConfiguredClient, checkKeysFlag, type KeysConfig } from "./config.ts";
import type { CacheAddress } from "./open-cache.ts";

/** The flags of the key commands as the argument parser hands them over. */
export interface KeyFlags {
  readonly client?: readonly string[];
  readonly issuer?: readonly string[];
  readonly cache?: string;
  readonly cacheLayout?: string;
  readonly cachePrefix?: string;
  readonly cacheVersion?: string;
  readonly database?: string;
  readonly timeoutSeconds?: string;
  readonly maxStaleSeconds?: string;
  readonly onlyStale?: boolean;
  readonly config?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** What a key command is to do, flags and configuration taken together. */
export interface KeyOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly onlyStale: boolean;
  readonly providers: Readonly<Record<string, ProviderOptions>>;
  readonly cache: CacheAddress;
  readonly policy: {
    readonly timeoutSeconds?: number;
    readonly retries?: number;
    readonly minFreshSeconds?: number;
    readonly maxFreshSeconds?: number;
    readonly maxStaleSeconds?: number;
    readonly concurrency?: number;
  };
}

/**
 * Reads and checks what a key command was told, flags before the configuration file. Asks nobody for anything.
 *
 * @throws JanitorError with a code of wrong use
 */
export async function readKeyOptions(flags: KeyFlags, jobs: readonly JobDescription[]): Promise<KeyOptions> {
  const told = configOfFlags(flags);
  const file = await loadConfig(flags.config, jobs);
  const keys: KeysConfig = { ...file.keys, ...told };
  const providers = providersOf(keys.clients ?? {});
  if (Object.keys(providers).length === 0) {
    throw new JanitorError(
      "invalid_setting",
      "no client is given: add `--client KEY=URL`, or `keys.clients` to the configuration",
    );
  }
  if (keys.cache === undefined) {
    const forms = "`--cache sqlite:PATH`, `--cache redis://HOST` or `--cache django-db:TABLE`";
    throw new JanitorError("invalid_setting", `no cache is given: add ${forms}`);
  }
  const { timeoutSeconds, retries, minFreshSeconds, maxFreshSeconds, maxStaleSeconds, concurrency } = keys;
  const database = flags.database ?? file.database ?? databaseOfEnvironment();
  const policy = defined({
    timeoutSeconds,
    retries,
    minFreshSeconds,
    maxFreshSeconds,
    maxStaleSeconds,
    concurrency,
  });
  // Before the cache is opened, which may make it.
  readProviders(providers, policy);
  return {
    json: flags.json ?? file.json ?? false,
    quiet: flags.quiet ?? file.quiet ?? false,
    onlyStale: flags.onlyStale ?? false,
    providers,
    cache: {
      address: keys.cache,
      layout: keys.cacheLayout ?? "plain",
      ...defined({ database, keyPrefix: keys.cachePrefix, version: keys.cacheVersion }),
    },
    policy,
  };
}

function configOfFlags(flags: KeyFlags): KeysConfig {
  const clients = clientsOf(flags);
  const numbers = defined({
    timeoutSeconds: numberOf(flags.timeoutSeconds, "--timeout-seconds"),
    maxStaleSeconds: numberOf(flags.maxStaleSeconds, "--max-stale-seconds"),
    cacheVersion: numberOf(flags.cacheVersion, "--cache-version"),
  });
  if (flags.database !== undefined) checkFlag("database", flags.database, "--database");
  const texts = defined({
    cache: flags.cache,
    cachePrefix: flags.cachePrefix,
    cacheLayout: flags.cacheLayout,
  });
  const told = { ...texts, ...numbers };
  for (const [setting, flag] of CHECKED) {
    if (told[setting] !== undefined) checkKeysFlag(setting, told[setting], flag);
  }
  // What the check of the layout has let through.
  const cacheLayout = flags.cacheLayout as KeysConfig["cacheLayout"];
  return defined({ ...texts, ...numbers, cacheLayout, clients }) as KeysConfig;
}

const CHECKED = [
  ["cache", "--cache"],
  ["cacheLayout", "--cache-layout"],
  ["cachePrefix", "--cache-prefix"],
  ["cacheVersion", "--cache-version"],
  ["timeoutSeconds", "--timeout-seconds"],
  ["maxStaleSeconds", "--max-stale-seconds"],
] as const;

/** Clients that are named on the command line are meant alone: those of the configuration are left out. */
function clientsOf({ client, issuer }: KeyFlags): Record<string, ConfiguredClient> | undefined {
  if (client === undefined && issuer === undefined) return undefined;
  const clients = new Map<string, { jwksUri?: string; issuer?: string }>();
  const add = (pairs: readonly string[] | undefined, flag: string, setting: "jwksUri" | "issuer") => {
    for (const pair of pairs ?? []) {
      const [key, url] = split(pair, flag, "KEY=URL");
      if (url === "") throw malformed(flag, "KEY=URL", pair);
      const known = clients.get(key) ?? {};
      if (known[setting] !== undefined) {
        throw new JanitorError("invalid_setting", `\`${flag}\` names \`${key}\` twice`);
      }
      clients.set(key, { ...known, [setting]: url });
    }
  };
  add(client, "--client", "jwksUri");
  add(issuer, "--issuer", "issuer");
  return Object.fromEntries(clients);
}

function providersOf(clients: Readonly<Record<string, ConfiguredClient>>): Record<string, ProviderOptions> {
  return Object.fromEntries(
    Object.entries(clients).map(([key, client]) => [
      key,
      typeof client === "string" ? { jwksUri: client } : client,
    ]),
  );
}
