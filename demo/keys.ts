// The other job of `npm start`: signing keys, from a provider of its own on real TLS.

import type { DatabaseSync } from "node:sqlite";
import { type ClientReport, createKeys, JanitorError } from "idp-janitor";
import { nodeSqlite } from "idp-janitor/adapters/node-sqlite";
import { sqlCache } from "idp-janitor/caches/sql";
import { signToken, testKey } from "../tests/support/keys.ts";
import { startProvider } from "../tests/support/provider.ts";
import { html } from "../tests/support/scenarios.ts";
import { trustInProcess } from "../tests/support/tls.ts";
import type { Checks } from "./checks.ts";
import { bold, print } from "./text.ts";

const CLIENT = "demo";

/** Refreshes the keys of a provider that rotates them and then breaks, and verifies tokens all the while. */
export async function showKeys(database: DatabaseSync, checks: Checks): Promise<void> {
  const [old, next] = [testKey("google-1"), testKey("google-2")];
  await using provider = await startProvider({ keys: [old] });
  const distrust = trustInProcess(provider.ca);
  const keys = createKeys({
    providers: { [CLIENT]: { jwksUri: provider.jwksUri(), issuer: provider.issuer } },
    cache: sqlCache(nodeSqlite(database)),
    onWarning: (warning) => print(`  warning: ${warning}`),
  });
  const refresh = async (when: string): Promise<ClientReport | undefined> => {
    const [report] = (await keys.refresh()).clients;
    print(`  ${when.padEnd(28)}${report ? outcome(report) : ""}`);
    return report;
  };
  const verified = (key: typeof old) => subjectOf(keys, key, provider.issuer);

  print();
  print(bold("refresh_oidc_clients_jwks"));
  print(`  Fetching signing keys for '${CLIENT}' from '${provider.jwksUri()}'...`);
  checks.same("keys are fetched", CLIENT, (await refresh("at first"))?.added, [old.kid]);
  checks.same("a token signed with a key is verified", CLIENT, await verified(old), "somebody");
  provider.rotate(next);
  const rotated = await refresh("the provider rotates");
  checks.same("a rotation is told", CLIENT, [rotated?.added, rotated?.removed], [[next.kid], [old.kid]]);
  checks.same("a token signed with a key of before is refused", CLIENT, await verified(old), "token_key");
  provider.respond("/jwks", html());
  const broken = await refresh("the provider breaks");
  checks.same("a failure is told", CLIENT, broken?.error?.code, "key_set_not_json");
  checks.same("a failure costs no key", CLIENT, await verified(next), "somebody");
  distrust();
}

function outcome({ outcome: ended, added, removed, error }: ClientReport): string {
  const changes = [...added.map((id) => `+${id.slice(0, 8)}`), ...removed.map((id) => `-${id.slice(0, 8)}`)];
  return [ended, changes.join(" "), error && `${error.code}: the keys of before stay`]
    .filter(Boolean)
    .join("  ");
}

/** Whom a token of that key speaks of, or why it does not. */
async function subjectOf(
  keys: ReturnType<typeof createKeys>,
  key: ReturnType<typeof testKey>,
  issuer: string,
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, aud: CLIENT, sub: "somebody", iat: now, exp: now + 300 };
  try {
    return (await keys.verifyIdToken(await signToken(key, claims), { provider: CLIENT, audience: CLIENT }))
      .sub;
  } catch (error) {
    return error instanceof JanitorError ? error.code : String(error);
  }
}
