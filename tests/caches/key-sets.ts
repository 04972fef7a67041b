/** Key sets to publish, and what a reader must tell of them. */

import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { calculateJwkThumbprint, type JWK } from "jose";

/** What HIdP wants of the network where the cache has no keys. */
export const FETCHING = ["socket.getaddrinfo ('provider.example', 443)"];

const key = (kid: string, { publicKey }: { readonly publicKey: KeyObject }): JWK => ({
  ...publicKey.export({ format: "jwk" }),
  kid,
  use: "sig",
});

/** A key of each kind, one with an id that is no ASCII. */
export const KEYS = [
  key("rsa", generateKeyPairSync("rsa", { modulusLength: 2048 })),
  key("schlüssel 钥匙 🔑", generateKeyPairSync("ec", { namedCurve: "P-256" })),
  key("ed", generateKeyPairSync("ed25519")),
];
/** Keys of another provider. */
export const OTHER_KEYS = [key("other", generateKeyPairSync("ec", { namedCurve: "P-384" }))];

/** The text of a key set, long enough that Python does not frame it. */
export const keySet = (keys: readonly JWK[]) => JSON.stringify({ keys, padding: "p".repeat(70_000) });

/** The keys as HIdP tells of them, in an order of their own. */
export async function told(keys: readonly JWK[]) {
  return sorted(
    await Promise.all(
      keys.map(async (one) => ({ kid: one.kid ?? "", thumbprint: await calculateJwkThumbprint(one) })),
    ),
  );
}

/** The keys in an order of their own: jwcrypto keeps them in a set. */
export function sorted<Key extends { readonly kid: string }>(keys: readonly Key[] | null): Key[] | null {
  return keys && [...keys].sort((a, b) => (a.kid < b.kid ? -1 : 1));
}
