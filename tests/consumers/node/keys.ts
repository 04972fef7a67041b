/** What somebody who installed the package would write to keep and use signing keys. */

import { DatabaseSync } from "node:sqlite";
import { createKeys, JanitorError, type KeyReport, type Keys, parseKeySet } from "idp-janitor";
import { nodeSqlite } from "idp-janitor/adapters/node-sqlite";
import { djangoDbCache } from "idp-janitor/caches/django-db";
import { djangoRedisCache } from "idp-janitor/caches/django-redis";
import { memoryCache } from "idp-janitor/caches/memory";
import { redisCache } from "idp-janitor/caches/redis";
import { sqlCache } from "idp-janitor/caches/sql";
import { keyCacheCases } from "idp-janitor/testing";

const { publicKey } = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
  "sign",
  "verify",
]);
const set = { keys: [{ ...(await crypto.subtle.exportKey("jwk", publicKey)), kid: "one" }] };
const judged = parseKeySet(JSON.stringify(set));
if (judged.keys[0]?.usable !== true) throw new Error("not judged usable");

const database = new DatabaseSync(":memory:");
const keys: Keys = createKeys({
  providers: { acme: { jwksUri: "https://acme.example/jwks", issuer: "https://acme.example" } },
  cache: sqlCache(nodeSqlite(database)),
  fetch: async () => Response.json(set),
});
const report: KeyReport = await keys.refresh();
const { jwks, uat } = await keys.get("acme");
if (jwks.keys.length !== 1 || !(uat > 0)) throw new Error("not cached");
console.log(JSON.stringify(report));

const refused = await keys
  .verifyIdToken("no.token.this", { provider: "acme", audience: "me" })
  .catch((error: unknown) => error);
if (!(refused instanceof JanitorError) || refused.code !== "token_malformed") throw new Error("not refused");

const caches = [memoryCache, redisCache, djangoDbCache, djangoRedisCache];
if (!caches.every((cache) => typeof cache === "function")) throw new Error("a cache is missing");
if (keyCacheCases({ open: () => Promise.reject(new Error("not opened")) }).length === 0) {
  throw new Error("no conformance cases");
}
