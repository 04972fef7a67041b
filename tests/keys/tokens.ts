// Tokens of every kind, and the two who judge them: we, and jose.

import assert from "node:assert/strict";
import { constants, createHmac, createPrivateKey, type SignKeyObjectInput, sign } from "node:crypto";
import { type IdTokenClaims, type IdTokenOptions, JanitorError, type Keys } from "idp-janitor";
import { createLocalJWKSet, errors, type JSONWebKeySet, jwtVerify } from "jose";
import type { Jwk, KeySet } from "../support/fixtures.ts";
import { type TestKey, testKey } from "../support/keys.ts";
import { CLIENT, keysOf } from "./setup.ts";

/** The issuer, the client and the instant of all tokens here, a whole second. */
export const ISSUER = "https://provider.example";
export const AUDIENCE = "client-1";
export const NOW = Date.UTC(2026, 5, 1) / 1000;

/** The algorithms that the provider of these tests may sign with, and who signs with each. */
export const SIGNERS = {
  RS256: testKey("rs256"),
  RS384: testKey("rs256"),
  RS512: testKey("rs256"),
  PS256: testKey("rs256"),
  PS384: testKey("rs256"),
  PS512: testKey("rs256"),
  ES256: testKey("es256"),
  ES384: testKey("es384"),
  ES512: testKey("es512"),
  EdDSA: testKey("eddsa"),
  Ed25519: testKey("eddsa"),
} as const satisfies Record<string, TestKey>;

/** One of them. */
export type Alg = keyof typeof SIGNERS;

/** All of them. */
export const ALGS = Object.keys(SIGNERS) as Alg[];

/** The claims of a token that is to be accepted. */
export const CLAIMS = { iss: ISSUER, sub: "248289761001", aud: AUDIENCE, iat: NOW - 10, exp: NOW + 600 };

/** A set whose keys say of no algorithm, so that each serves for all of its type. */
export function published(...keys: readonly TestKey[]): KeySet {
  return { keys: keys.map(({ publicJwk: { alg: _alg, ...jwk } }) => jwk) };
}

/** The set that the provider of these tests publishes. */
export const SET = published(
  testKey("rs256"),
  testKey("es256"),
  testKey("es384"),
  testKey("es512"),
  testKey("eddsa"),
);

/** Text in base64url. */
export const encoded = (text: string | Uint8Array) => Buffer.from(text).toString("base64url");

/** The bytes that a private key signs with by an algorithm, without any of the code that is judged. */
export function signature(alg: Alg, input: string, jwk: Jwk = SIGNERS[alg].privateJwk): Buffer {
  const key = createPrivateKey({ key: jwk, format: "jwk" });
  const hash = `sha${alg.slice(2)}`;
  const data = Buffer.from(input);
  const options: SignKeyObjectInput = { key };
  if (alg.startsWith("PS")) {
    options.padding = constants.RSA_PKCS1_PSS_PADDING;
    options.saltLength = constants.RSA_PSS_SALTLEN_DIGEST;
  }
  if (alg.startsWith("ES")) options.dsaEncoding = "ieee-p1363";
  return sign(alg.startsWith("Ed") ? null : hash, data, options);
}

/** A token of a header and claims that are text, or what JSON makes of them. */
export function tokenOf(
  alg: Alg,
  header: object | string = {},
  claims: object | string = {},
  jwk: Jwk = SIGNERS[alg].privateJwk,
): string {
  const whole =
    typeof header === "string"
      ? header
      : JSON.stringify({ alg, kid: SIGNERS[alg].kid, typ: "JWT", ...header });
  const text = typeof claims === "string" ? claims : JSON.stringify({ ...CLAIMS, ...claims });
  const input = `${encoded(whole)}.${encoded(text)}`;
  return `${input}.${encoded(signature(alg, input, jwk))}`;
}

/** A token with a MAC in place of a signature. */
export function macOf(header: object, secret: string | Uint8Array): string {
  const input = `${encoded(JSON.stringify(header))}.${encoded(JSON.stringify(CLAIMS))}`;
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
}

/** What came of a token: its claims, or the code of the refusal. */
export type Judgement = { readonly claims: unknown } | { readonly code: string };

/** Keys of a provider with a set that no network is needed for. */
export async function knowing(
  set: KeySet,
  issuer = ISSUER,
  algorithms: readonly string[] = ALGS,
): Promise<Keys> {
  const provider = { jwksUri: `${ISSUER}/jwks`, issuer, algorithms };
  const { keys } = keysOf(provider, { fetch: async () => Response.json(set), clock: () => NOW * 1000 });
  await keys.refresh();
  return keys;
}

/** Our judgement. Anything but a `token_` error is a failure of the test. */
export async function ours(
  keys: Keys,
  token: string,
  options: Partial<IdTokenOptions> = {},
): Promise<Judgement> {
  try {
    const claims: IdTokenClaims = await keys.verifyIdToken(token, {
      provider: CLIENT,
      audience: AUDIENCE,
      ...options,
    });
    return { claims };
  } catch (error) {
    assert.ok(error instanceof JanitorError && error.code.startsWith("token_"), String(error));
    return { code: error.code };
  }
}

/** jose's judgement by the same rules, as far as it has them. Anything but an error of jose is a failure of the test. */
export async function joses(
  set: KeySet,
  token: string,
  options: Partial<IdTokenOptions> = {},
): Promise<Judgement> {
  const { audience = AUDIENCE, nonce = "", now = NOW * 1000 } = options;
  try {
    // jose's own type of a set wants members that a fixture may lack.
    const keys = createLocalJWKSet(structuredClone(set) as unknown as JSONWebKeySet);
    const { payload } = await jwtVerify(token, keys, {
      algorithms: ALGS,
      issuer: ISSUER,
      audience: typeof audience === "string" ? audience : [...audience],
      requiredClaims: ["iss", "sub", "aud", "exp", "iat"],
      clockTolerance: 60,
      currentDate: new Date(now),
    });
    if ((payload.nonce ?? "") !== nonce) return { code: "nonce" };
    return { claims: payload };
  } catch (error) {
    // The engine's refusal of key or signature comes through as it is.
    assert.ok(error instanceof errors.JOSEError || error instanceof TypeError, String(error));
    return { code: "code" in error ? String(error.code) : error.name };
  }
}
