import { call, TokenRules } from "../core.ts";
import { JanitorError } from "../errors.ts";
import { toInstantText } from "../instants.ts";
import { requireKnown } from "../known.ts";
import type { CoreProvider } from "./effects.ts";
import type { IdTokenClaims, IdTokenOptions } from "./id-token.ts";
import type { KnownProvider } from "./providers.ts";
import type { ImportedKey } from "./public-key.ts";
import type { Reader } from "./reader.ts";
import { shown } from "./shown.ts";
import { decoded, Verifier } from "./verify.ts";

const VERIFY_OPTIONS = ["provider", "audience", "nonce", "now"];

/** Verifies ID tokens: the core decides, WebCrypto does the arithmetic. */
export class IdTokens {
  readonly #reader: Reader;
  readonly #clock: () => number;
  readonly #verifier = new Verifier();
  readonly #rules = new Map<KnownProvider, TokenRules>();

  /** @param clock milliseconds since 1970 */
  constructor(reader: Reader, clock: () => number) {
    this.#reader = reader;
    this.#clock = clock;
  }

  /** @throws JanitorError see `Keys.verifyIdToken` */
  async verify(token: string, provider: KnownProvider, options: IdTokenOptions): Promise<IdTokenClaims> {
    requireKnown("verifyIdToken", options, VERIFY_OPTIONS);
    const { audience, nonce } = options;
    const rules = this.#rulesOf(provider);
    const audiences = typeof audience === "string" ? [audience] : [...(audience ?? [])];
    if (audiences.length === 0 || !audiences.every((one) => isText(one) && one !== "")) {
      throw new JanitorError("invalid_setting", "`audience` must be the client id, or a list of some");
    }
    // A session that has lost its nonce must not pass for one that sent none.
    if (nonce !== undefined && (!isText(nonce) || nonce === "")) {
      throw new JanitorError("invalid_setting", "`nonce` must be what was sent as such, or absent");
    }
    // An answer of a provider may have something else in its place, or nothing.
    if (!isText(token)) throw new JanitorError("token_malformed", "the token cannot be read: it is no text");
    const now = options.now === undefined ? this.#clock() : millisOf(options.now);
    const { alg, kid } = call(() => rules.mayVerify(token));
    const { keys, thumbprints } = await this.#candidates(provider.core, alg, kid);
    if (!(await this.#verifier.verify(token, alg, keys, thumbprints))) {
      throw new JanitorError(
        "token_signature",
        "the signature of the token is not one of its provider's keys",
      );
    }
    call(() => rules.claimsHold(token, audiences, nonce, now / 1000));
    return claimsOf(token);
  }

  #rulesOf(provider: KnownProvider): TokenRules {
    const known = this.#rules.get(provider);
    if (known) return known;
    const { issuer, key } = provider.core;
    if (issuer === undefined) {
      const message = `provider \`${key}\` has no \`issuer\`, so its tokens cannot be verified`;
      throw new JanitorError("invalid_setting", message);
    }
    const rules = call(() => new TokenRules([...provider.algorithms], issuer));
    this.#rules.set(provider, rules);
    return rules;
  }

  /** The key for a signature, as jose asks for it. */
  async key(provider: KnownProvider, alg: string, kid: string | undefined): Promise<ImportedKey> {
    // They come out of a header that nobody has verified, and wasm takes what is no text for whatever it likes.
    if (!isText(alg) || (kid !== undefined && !isText(kid))) {
      throw new JanitorError("token_malformed", "the token cannot be read: its `alg` or `kid` is no text");
    }
    if (!provider.algorithms.includes(alg)) {
      throw new JanitorError(
        "token_algorithm",
        `the token is signed with \`${shown(alg)}\`, which is not allowed`,
      );
    }
    const { keys, thumbprints } = await this.#candidates(provider.core, alg, kid);
    const [thumbprint] = thumbprints;
    if (thumbprint !== undefined && thumbprints.length === 1) {
      return this.#verifier.import(keys, thumbprint, alg).catch((cause: unknown) => {
        const message = `this engine cannot verify ${alg} with the key of the token`;
        throw new JanitorError("token_key", message, { cause });
      });
    }
    throw new JanitorError(
      "token_key",
      `${thumbprints.length} keys of \`${provider.core.key}\` fit the token`,
    );
  }

  async #candidates(provider: CoreProvider, alg: string, kid: string | undefined) {
    const keys = await this.#reader.keys(provider, kid);
    const thumbprints = call(() => keys.candidates(alg, kid));
    if (thumbprints.length > 0) return { keys, thumbprints };
    const which = kid === undefined ? "none of them" : "none with the token's key id";
    throw new JanitorError("token_key", `of the keys of \`${provider.key}\` ${which} is for ${alg}`);
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function millisOf(now: string | Date): number {
  const millis = Date.parse(toInstantText(now) ?? "");
  if (Number.isNaN(millis)) throw new JanitorError("invalid_instant", `\`now\` is no instant: \`${now}\``);
  return millis;
}

function claimsOf(token: string): IdTokenClaims {
  const [, claims = ""] = token.split(".");
  return JSON.parse(new TextDecoder().decode(decoded(claims)));
}
