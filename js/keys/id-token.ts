/** What an ID token is held against. */
export interface IdTokenOptions {
  /** The provider's key. */
  readonly provider: string;
  /** The client id, or several, one of which must be in `aud`. */
  readonly audience: string | readonly string[];
  /** What was sent as `nonce`. Default: nothing was, and the token must not have one. */
  readonly nonce?: string;
  /** The instant to judge by, RFC 3339 text or a Date. Default: the clock. */
  readonly now?: string | Date;
}

/** The claims of an ID token that was verified. */
export interface IdTokenClaims {
  readonly iss: string;
  readonly sub: string;
  readonly aud: string | string[];
  /** Seconds since 1970, as all times of a token. */
  readonly exp: number;
  readonly iat: number;
  readonly [claim: string]: unknown;
}
