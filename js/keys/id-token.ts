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
  /** The issuer, which is that of the provider; `{tenantid}` in it stands filled. */
  readonly iss: string;
  /** Who logged in, by the provider's own id for them; never empty. */
  readonly sub: string;
  /** The client ids that the token is for; the expected one is among them. */
  readonly aud: string | string[];
  /** When the token is over, in seconds since 1970, as all times of a token; up to 60 seconds ago. */
  readonly exp: number;
  /** When it was issued, in seconds since 1970; not looked at but for being there. */
  readonly iat: number;
  /** The others, as the provider wrote them. */
  readonly [claim: string]: unknown;
}
