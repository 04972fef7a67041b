// The compiler's own names for keys, `JsonWebKey` and `CryptoKey`, are unknown to a project for Node that does not count
// browsers among its libraries. So they are said here in other words.

/**
 * A usable key: its registered public members (RFC 7517, section 4; RFC 7518, section 6), as jose and WebCrypto take it.
 * Texts are in base64url where they stand for bytes.
 */
// No interface: Node's type of such a key has members of any name, and an interface is never taken to have them.
export type PublicKey = {
  /** Its type: `RSA`, `EC` or `OKP`. */
  readonly kty: string;
  /** What it is for: `sig`. */
  readonly use?: string;
  /** The algorithm that it is for. */
  readonly alg?: string;
  /** Its id. */
  readonly kid?: string;
  /** The curve of a key of type EC or OKP. */
  readonly crv?: string;
  /** The x coordinate of such a key. */
  readonly x?: string;
  /** The y coordinate of a key of type EC. */
  readonly y?: string;
  /** The modulus of an RSA key. */
  readonly n?: string;
  /** The exponent of an RSA key. */
  readonly e?: string;
  /** Its X.509 chain, each certificate in base64. */
  readonly x5c?: string[];
  /** The SHA-1 thumbprint of its certificate. */
  readonly x5t?: string;
  /** The SHA-256 thumbprint of its certificate. */
  readonly "x5t#S256"?: string;
};

/** A key as WebCrypto knows it, which is a `CryptoKey`. */
export type ImportedKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;
