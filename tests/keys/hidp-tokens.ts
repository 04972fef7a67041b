// HIdP's own judgement of ID tokens.

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { ensureVenv } from "../support/originals.ts";

const SCRIPT = join(import.meta.dirname, "../originals/verify_tokens.py");
/** A cache that ends with the process. */
const CACHE = { BACKEND: "django.core.cache.backends.locmem.LocMemCache" };

/** What HIdP is given. */
export interface HidpOptions {
  readonly issuer: string;
  readonly audience: string;
  /** The text of the key set that its cache has. */
  readonly jwks: string;
  /** Seconds since 1970. */
  readonly now: number;
  /** Takes HIdP's client for Microsoft, which has an issuer of its own. */
  readonly microsoft?: boolean;
}

/** What came of a token in HIdP: its claims, or the name of an exception. Only `OIDCError` is one that HIdP means. */
export type HidpJudgement =
  | { readonly claims: unknown }
  | { readonly error: string; readonly message: string };

/** Has HIdP judge tokens, in one process that has no network; throws with its stderr where it fails. */
export async function hidps(tokens: readonly string[], options: HidpOptions): Promise<HidpJudgement[]> {
  const { audience, ...rest } = options;
  const python = await ensureVenv("current");
  const env = {
    ...process.env,
    ORACLE_DATABASE: ":memory:",
    ORACLE_CACHE: JSON.stringify(CACHE),
    NO_PROXY: "*",
  };
  const running = promisify(execFile)(python, [SCRIPT], { env, maxBuffer: 16 * 1024 * 1024 });
  running.child.stdin?.end(JSON.stringify({ client_id: audience, tokens, ...rest }));
  return JSON.parse((await running).stdout);
}
