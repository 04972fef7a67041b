// Refreshes one client after the other and prints, as JSON, what came of each and by how much the process has grown
// since the first. Arguments: the origin of a provider, who makes the requests, and a path for each client.

import { createKeys } from "idp-janitor";
import { memoryCache } from "idp-janitor/caches/memory";
import { WAYS } from "./setup.ts";

const [origin = "", way = "", ...paths] = process.argv.slice(2);
const providers = Object.fromEntries(paths.map((path) => [path.slice(1), { jwksUri: origin + path }]));
const keys = createKeys({ providers, cache: memoryCache(), ...WAYS[way] });
const largest = () => process.resourceUsage().maxRSS * 1024;

const codes: (string | null)[] = [];
let before: number | undefined;
for (const client of Object.keys(providers)) {
  const { clients } = await keys.refresh({ only: [client] });
  codes.push(clients[0]?.error?.code ?? null);
  before ??= largest();
}
console.log(JSON.stringify({ codes, grownBytes: largest() - (before ?? 0) }));
