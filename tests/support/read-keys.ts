// The cache of a real HIdP process, which has no network but for the cache itself.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { ensureVenv } from "./originals.ts";

const SOURCES = join(import.meta.dirname, "../originals");

/** One entry of Django's CACHES, as JSON. */
export type CacheSetting = Readonly<Record<string, unknown>>;

/** What HIdP answered when it was asked for the keys of a provider. */
export interface KeysRead {
  readonly keys: readonly { readonly kid: string; readonly thumbprint: string }[] | null;
  /** What the process wanted of the network and did not get. */
  readonly refused: readonly string[];
}

/** An operation of `tests/originals/read_keys.py`: its name and its arguments. */
export type Operation = readonly [name: string, ...args: unknown[]];

/**
 * Does the operations in one HIdP process, and returns what each returned; throws with its stderr where it fails.
 *
 * @param network `open` only to show that it is the cut that keeps the process from fetching
 */
export async function hidp(
  database: string,
  cache: CacheSetting,
  operations: readonly Operation[],
  network: "cut" | "open" = "cut",
  environment: NodeJS.ProcessEnv = {},
): Promise<unknown[]> {
  const all = {
    ...environment,
    ORACLE_DATABASE: database,
    ORACLE_CACHE: JSON.stringify(cache),
    ORACLE_NETWORK: network,
    // What is fetched is to be fetched from where it is.
    NO_PROXY: "*",
  };
  return JSON.parse(await python([join(SOURCES, "read_keys.py")], operations, all));
}

/** What HIdP reads of a provider at an instant (`YYYY-MM-DD HH:MM:SS+00:00`), or now. */
export async function readKeys(
  database: string,
  cache: CacheSetting,
  provider: string,
  now?: string,
): Promise<KeysRead> {
  const [read] = await hidp(database, cache, [["read_keys", provider, now]]);
  return read as KeysRead;
}

/** What Python makes of the texts: `dumps PROTOCOL [pure]` or `loads`, see `tests/originals/pickles.py`. */
export async function pickles(args: readonly string[], given: readonly string[]): Promise<string[]> {
  return JSON.parse(await python([join(SOURCES, "pickles.py"), ...args], given));
}

async function python(
  args: readonly string[],
  given: unknown,
  environment: NodeJS.ProcessEnv = {},
): Promise<string> {
  const command = await ensureVenv("current");
  const child = spawn(command, args, { env: { ...process.env, ...environment } });
  child.stdin.end(JSON.stringify(given));
  const [output, complaint, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  if (status !== 0) throw new Error(`${args.join(" ")} failed (${status}):\n${complaint}`);
  return output;
}
