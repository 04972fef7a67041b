import { createKeys } from "../../entry/node.ts";
import type { KeyReport } from "../../keys/report.ts";
import { EXIT_DONE, EXIT_FAILED } from "../exit.ts";
import type { Output } from "../output.ts";
import { abortOnSignals } from "../signals.ts";
import { openCache } from "./open-cache.ts";
import type { KeyOptions } from "./options.ts";
import { fetchingLine, outcomeLine, statusLines } from "./text.ts";

/** `idp-janitor refresh_oidc_clients_jwks` */
export async function refreshCommand(options: KeyOptions, output: Output): Promise<number> {
  const report = await refresh(options, output);
  for (const client of report.clients) {
    output.lines([outcomeLine(client)]);
    if (client.error) output.failure(`\`${client.client}\`: ${client.error.message}`, client.error.code);
    output.warnings(client.warnings.map((warning) => `\`${client.client}\`: ${warning}`));
  }
  output.object(report);
  return report.clients.some(({ outcome }) => outcome === "failed") ? EXIT_FAILED : EXIT_DONE;
}

async function refresh(
  { providers, policy, onlyStale, cache }: KeyOptions,
  output: Output,
): Promise<KeyReport> {
  const opened = await openCache(cache, false);
  const interruption = abortOnSignals();
  try {
    // Node's own `fetch` tells why a connection failed; by way of gloo-net that is lost.
    const keys = createKeys({ providers, cache: opened.cache, fetch: globalThis.fetch, ...policy });
    return await keys.refresh({
      onlyStale,
      signal: interruption.signal,
      onClient: (client, uri) => output.lines([fetchingLine(client, uri)]),
    });
  } finally {
    interruption.dispose();
    await opened.close();
  }
}

/** `idp-janitor keys` */
export async function keysCommand(options: KeyOptions, output: Output): Promise<number> {
  const opened = await openCache(options.cache, true);
  try {
    const keys = createKeys({ providers: options.providers, cache: opened.cache, ...options.policy });
    const clients = await keys.status();
    output.lines(statusLines(clients, new Date()));
    output.object({ clients });
    return clients.every(({ state }) => state === "fresh" || state === "stale") ? EXIT_DONE : EXIT_FAILED;
  } finally {
    await opened.close();
  }
}
