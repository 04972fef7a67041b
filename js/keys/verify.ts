/** Signatures, checked by WebCrypto: a fraction of the size of cryptography in wasm, and several times its speed. */

import { call, type StoredKeys } from "../core.ts";
import { JanitorError } from "../errors.ts";

type Algorithm = RsaHashedImportParams & RsaPssParams & EcKeyImportParams & EcdsaParams;

const rsa = (hash: string) => ({ name: "RSASSA-PKCS1-v1_5", hash });
const pss = (hash: string, saltLength: number) => ({ name: "RSA-PSS", hash, saltLength });
const ecdsa = (hash: string, namedCurve: string) => ({ name: "ECDSA", hash, namedCurve });

/** RFC 7518, section 3.1; RFC 8037, section 3.1; RFC 9864. */
const ALGORITHMS: Readonly<Record<string, Partial<Algorithm> & { name: string }>> = {
  RS256: rsa("SHA-256"),
  RS384: rsa("SHA-384"),
  RS512: rsa("SHA-512"),
  PS256: pss("SHA-256", 32),
  PS384: pss("SHA-384", 48),
  PS512: pss("SHA-512", 64),
  ES256: ecdsa("SHA-256", "P-256"),
  ES384: ecdsa("SHA-384", "P-384"),
  ES512: ecdsa("SHA-512", "P-521"),
  EdDSA: { name: "Ed25519" },
  Ed25519: { name: "Ed25519" },
};

/** The signature algorithms that tokens can be verified with. */
export const ALGORITHM_NAMES: readonly string[] = Object.keys(ALGORITHMS);

const ENCODER = new TextEncoder();

/** Keys that WebCrypto has taken in already: to do so takes as long as to verify. */
const MOST_IMPORTED = 200;

/** Verifies signatures, and remembers the keys. */
export class Verifier {
  readonly #imported = new Map<string, Promise<CryptoKey>>();

  /** The key as WebCrypto knows it, for one algorithm. */
  import(keys: StoredKeys, thumbprint: string, alg: string): Promise<CryptoKey> {
    const name = `${alg} ${thumbprint}`;
    const known = this.#imported.get(name);
    if (known) return known;
    if (this.#imported.size >= MOST_IMPORTED) this.#imported.clear();
    const imported = crypto.subtle.importKey(
      "jwk",
      bare(call(() => keys.key(thumbprint))),
      algorithm(alg),
      false,
      ["verify"],
    );
    this.#imported.set(name, imported);
    // What this engine cannot take in now, it may be able to another time.
    imported.catch(() => this.#imported.delete(name));
    return imported;
  }

  /**
   * Whether one of the keys has made the signature of a token in compact form.
   *
   * @throws JanitorError `token_key` where the engine can take in none of the keys
   */
  async verify(
    token: string,
    alg: string,
    keys: StoredKeys,
    thumbprints: readonly string[],
  ): Promise<boolean> {
    const end = token.lastIndexOf(".");
    const signature = decoded(token.slice(end + 1));
    if (!signature) return false;
    const signed = ENCODER.encode(token.slice(0, end));
    let failure: unknown;
    for (const thumbprint of thumbprints) {
      try {
        const key = await this.import(keys, thumbprint, alg);
        if (await crypto.subtle.verify(algorithm(alg), key, signature, signed)) return true;
      } catch (error) {
        failure = error;
      }
    }
    if (failure === undefined) return false;
    throw new JanitorError("token_key", `this engine cannot verify ${alg} with the key of the token`, {
      cause: failure,
    });
  }
}

/** The members that make the key: an engine may refuse one by another, such as `alg` or `key_ops`. */
function bare(key: JsonWebKey): JsonWebKey {
  const entries = Object.entries(key).filter(([name]) => ["kty", "crv", "x", "y", "n", "e"].includes(name));
  return Object.fromEntries(entries);
}

function algorithm(alg: string): Partial<Algorithm> & { name: string } {
  const known = ALGORITHMS[alg];
  if (known) return known;
  throw new JanitorError("invalid_setting", `\`${alg}\` is no signature algorithm that is known`);
}

/** The bytes of base64url text without padding (RFC 7515, section 2), if it is such. */
export function decoded(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return undefined;
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}
