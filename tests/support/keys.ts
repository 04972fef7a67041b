// Signing keys with both halves, and tokens signed with them by WebCrypto, without any code that is under test.

import type { webcrypto } from "node:crypto";
import { fixtureText, type Jwk, type KeySet } from "./fixtures.ts";

/** The algorithms that test keys can be made for. */
export type Algorithm = keyof typeof ALGORITHMS;

/** The keys of `tests/fixtures/keys.json`. The `next` ones are for rotations; `rsa-1024` is too weak on purpose. */
export type KeyName =
  | "rs256"
  | "rs256-next"
  | "es256"
  | "es256-next"
  | "es384"
  | "es512"
  | "eddsa"
  | "eddsa-next"
  | "rsa-1024"
  | "google-1"
  | "google-2"
  | "microsoft-1"
  | "microsoft-2"
  | "microsoft-3";

/** A signing key of a provider. */
export interface TestKey {
  readonly kid: string;
  readonly alg: Algorithm;
  /** What a provider publishes: with `kid`, `alg` and `use`, without what is secret. */
  readonly publicJwk: Jwk;
  readonly privateJwk: Jwk;
  /** The private key for WebCrypto and jose, able to sign. */
  privateKey(): Promise<CryptoKey>;
}

const RS256 = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
const EDWARDS = { name: "Ed25519" };

// One object serves to make, import and sign; each operation reads its own members.
const ALGORITHMS = {
  RS256: { ...RS256, modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1) },
  ES256: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  ES384: { name: "ECDSA", namedCurve: "P-384", hash: "SHA-384" },
  ES512: { name: "ECDSA", namedCurve: "P-521", hash: "SHA-512" },
  EdDSA: EDWARDS,
} as const;

const SECRET = new Set(["d", "p", "q", "dp", "dq", "qi", "oth", "k"]);

const fixed: Readonly<Record<string, Jwk>> = JSON.parse(fixtureText("keys.json")).keys;

/** A fixed key, the same in every run. Its `kid` can be replaced, which makes rotations under one id. */
export function testKey(name: KeyName, kid?: string): TestKey {
  const jwk = fixed[name];
  if (jwk === undefined) throw new RangeError(`no test key is named ${name}`);
  return keyOf(kid === undefined ? jwk : { ...jwk, kid });
}

/** Makes a key that nobody has had before. RSA takes its time; the others do not. */
export async function makeKey(alg: Algorithm, kid: string): Promise<TestKey> {
  // The overloads of WebCrypto tell the algorithms apart by type, and here they come from a table.
  const algorithm: webcrypto.EcKeyGenParams | webcrypto.RsaHashedKeyGenParams | { name: string } =
    ALGORITHMS[alg];
  const pair = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  if (!("privateKey" in pair)) throw new TypeError(`${alg} has no pair of keys`);
  const { ext: _ext, key_ops: _ops, ...jwk } = await crypto.subtle.exportKey("jwk", pair.privateKey);
  return keyOf({ ...jwk, kid, alg, use: "sig" });
}

/** The set that a provider publishes of these keys. */
export function keySet(...keys: readonly TestKey[]): KeySet {
  return { keys: keys.map((key) => key.publicJwk) };
}

/** A key without what is secret about it. */
export function withoutSecrets(jwk: Jwk): Jwk {
  return Object.fromEntries(Object.entries(jwk).filter(([member]) => !SECRET.has(member)));
}

/** Signs a token in compact form. The header has the key's `alg` and `kid`; `undefined` leaves a member out. */
export async function signToken(
  key: TestKey,
  claims: Readonly<Record<string, unknown>>,
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const parts = [{ alg: key.alg, kid: key.kid, typ: "JWT", ...header }, claims];
  const input = parts.map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  const signature = await crypto.subtle.sign(
    ALGORITHMS[key.alg],
    await key.privateKey(),
    new TextEncoder().encode(input),
  );
  return `${input}.${Buffer.from(signature).toString("base64url")}`;
}

function keyOf(jwk: Jwk): TestKey {
  const { kid, alg } = jwk;
  if (typeof kid !== "string" || !isAlgorithm(alg)) throw new TypeError("a test key needs a kid and an alg");
  return {
    kid,
    alg,
    publicJwk: withoutSecrets(jwk),
    privateJwk: jwk,
    privateKey: () => crypto.subtle.importKey("jwk", jwk, ALGORITHMS[alg], true, ["sign"]),
  };
}

function isAlgorithm(value: unknown): value is Algorithm {
  return typeof value === "string" && Object.hasOwn(ALGORITHMS, value);
}
