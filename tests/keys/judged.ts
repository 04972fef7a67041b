// Tokens with what is to come of them, by us and by jose.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ErrorCode, Keys } from "idp-janitor";
import { encoded, joses, knowing, ours, SET } from "./tokens.ts";

let ofSet: Promise<Keys> | undefined;

/** Keys of the set that the provider of these tests publishes. */
export function keysOfSet(): Promise<Keys> {
  ofSet ??= knowing(SET);
  return ofSet;
}

/** What is to come of a token, and whether jose takes another view. */
export type Case = readonly [token: string, expected: "accepted" | ErrorCode, jose?: "accepts" | "refuses"];

/** Tests that each token is judged as is said, by us with the keys that are known, and by jose with the set. */
export function hold(cases: Readonly<Record<string, Case>>, set = SET, known = keysOfSet): void {
  for (const [name, [token, expected, jose]] of Object.entries(cases)) {
    const view = jose === undefined ? "" : `; jose ${jose} it`;
    test(`${name}: ${expected}${view}`, async () => {
      const [our, other] = await Promise.all([ours(await known(), token), joses(set, token)]);
      assert.equal("code" in our ? our.code : "accepted", expected);
      const accepts = jose === undefined ? expected === "accepted" : jose === "accepts";
      assert.equal("claims" in other, accepts, JSON.stringify(other));
      if ("claims" in our && "claims" in other) assert.deepEqual(our.claims, other.claims);
    });
  }
}

/** What the dots of a token divide. */
export const parts = (token: string) =>
  token.split(".") as [header: string, claims: string, signature: string];

/** A token with another signature, from the bytes of its own. */
export function resigned(token: string, change: (bytes: Buffer) => Uint8Array): string {
  const [header, claims, bytes] = parts(token);
  return `${header}.${claims}.${encoded(change(Buffer.from(bytes, "base64url")))}`;
}
