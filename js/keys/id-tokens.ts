import { call, claimsHold, mayVerify } from "../core.ts";
import { JanitorError } from "../errors.ts";
import { toInstantText } from "../instants.ts";
import type { CoreProvider } from "./effects.ts";
import type { KnownProvider } from "./providers.ts";
import type { Reader } from "./reader.ts";
import { decoded, Verifier } from "./verify.ts";

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

/** Verifies ID tokens: the core decides, WebCrypto does the arithmetic. */
export class IdTokens {
  readonly #reader: Reader;
  readonly #now: () => string;
  readonly #verifier = new Verifier();

  constructor(reader: Reader, now: () => string) {
    this.#reader = reader;
    this.#now = now;
  }

  /** @throws JanitorError see `Keys.verifyIdToken` */
  async verify(token: string, provider: KnownProvider, options: IdTokenOptions): Promise<IdTokenClaims> {
    const { audience, nonce, now } = options;
    const { issuer } = provider.core;
    if (issuer === undefined) {
      const message = `provider \`${provider.core.key}\` has no \`issuer\`, so its tokens cannot be verified`;
      throw new JanitorError("invalid_setting", message);
    }
    if (audience === undefined || audience.length === 0) {
      throw new JanitorError("invalid_setting", "`audience` must be the client id, or a list of some");
    }
    const audiences = typeof audience === "string" ? [audience] : [...audience];
    const instant = toInstantText(now) ?? this.#now();
    const { alg, kid } = call(() => mayVerify(token, [...provider.algorithms]));
    const candidates = await this.#candidates(provider.core, alg, kid);
    if (!(await this.#verifier.verify(token, alg, candidates))) {
      throw new JanitorError(
        "token_signature",
        "the signature of the token is not one of its provider's keys",
      );
    }
    const expected = { issuer, audience: audiences, nonce, now: Date.parse(instant) / 1000 };
    call(() => claimsHold(token, expected));
    return claimsOf(token);
  }

  /** The key for a signature, as jose asks for it. */
  async key(provider: KnownProvider, alg: string, kid: string | undefined): Promise<CryptoKey> {
    if (!provider.algorithms.includes(alg)) {
      throw new JanitorError("token_algorithm", `the token is signed with \`${alg}\`, which is not allowed`);
    }
    const candidates = await this.#candidates(provider.core, alg, kid);
    const [candidate] = candidates;
    if (candidate && candidates.length === 1) return this.#verifier.import(candidate, alg);
    throw new JanitorError(
      "token_key",
      `${candidates.length} keys of \`${provider.core.key}\` fit the token`,
    );
  }

  async #candidates(provider: CoreProvider, alg: string, kid: string | undefined) {
    const { keys } = await this.#reader.keys(provider, kid);
    const candidates = call(() => keys.candidates(alg, kid));
    if (candidates.length > 0) return candidates;
    const which = kid === undefined ? "none of them" : "none with the token's key id";
    throw new JanitorError("token_key", `of the keys of \`${provider.key}\` ${which} is for ${alg}`);
  }
}

function claimsOf(token: string): IdTokenClaims {
  const [, claims = ""] = token.split(".");
  return JSON.parse(new TextDecoder().decode(decoded(claims)));
}
