// Refreshes and prints the code of the failure, in a process whose `fetch` was replaced by what is not quite one.

import { createKeys } from "idp-janitor";
import { memoryCache } from "idp-janitor/caches/memory";

const FORMS: Record<string, unknown> = {
  "gives what is no Response": async () => ({ ok: true, status: 200, headers: {}, text: async () => "{}" }),
  "gives it at once": () => ({ status: 200 }),
  "throws at once": () => {
    throw new Error("no network in tests");
  },
};
const [form = ""] = process.argv.slice(2);
globalThis.fetch = FORMS[form] as typeof fetch;
const keys = createKeys({
  providers: { acme: { jwksUri: "https://acme.example/jwks" } },
  cache: memoryCache(),
  ...{ timeoutSeconds: 2, retries: 0 },
});
const [client] = (await keys.refresh()).clients;
console.log(client?.error?.code);
