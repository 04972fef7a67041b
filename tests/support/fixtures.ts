// The fixtures as data; `tests/fixtures/make.ts` says how the keys among them were made.

import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A JSON Web Key, of whatever sense or nonsense. */
export type Jwk = Readonly<Record<string, unknown>>;

/** A key set as JSON. */
export interface KeySet {
  readonly keys: readonly Jwk[];
}

/** The examples of RFC 7515, 7517, 7518, 7638 and 8037. */
export interface RfcExamples {
  /** By section, such as `RFC 7517 A.1`. */
  readonly sets: Readonly<Record<string, KeySet>>;
  readonly keys: Readonly<Record<string, Jwk>>;
  /** What Alice and Bob of RFC 7518 C derive from their keys. */
  readonly agreement: {
    readonly algorithm: string;
    readonly bits: number;
    readonly apu: string;
    readonly apv: string;
    readonly derived: string;
  };
  readonly thumbprints: readonly { readonly from: string; readonly key: Jwk; readonly thumbprint: string }[];
  readonly tokens: readonly RfcToken[];
}

/** A token in compact form, the key it was signed with (private where the RFC gives it), and what a check says. */
export interface RfcToken {
  readonly from: string;
  /** Null where the token is unsecured. */
  readonly key: Jwk | null;
  readonly token: string;
  readonly expected: "verified" | "refused" | "unsecured";
}

/** Reads a fixture as text, as a provider would serve it. */
export function fixtureText(name: string): string {
  return readFileSync(join(import.meta.dirname, "../fixtures", name), "utf8");
}

/** A set as Google serves it: two RSA keys with `alg` and `use`. Test keys `google-1` and `google-2`. */
export const GOOGLE: KeySet = JSON.parse(fixtureText("google.json"));

/** A set as Microsoft serves it: `x5c`, `x5t` and `issuer`, and no `alg`. Test keys `microsoft-1` to `microsoft-3`. */
export const MICROSOFT: KeySet = JSON.parse(fixtureText("microsoft.json"));

/** The examples of the RFCs. */
export const RFC: RfcExamples = JSON.parse(fixtureText("rfc.json"));

/** Keys that no set should hold, by what is odd about them; each one's `kid` is its name. */
export const ODD_KEYS: Readonly<Record<string, Jwk>> = JSON.parse(fixtureText("odd-keys.json")).keys;

/** An odd key by name. Throws where there is none of that name. */
export function oddKey(name: string): Jwk {
  const jwk = ODD_KEYS[name];
  if (jwk === undefined) throw new RangeError(`no odd key is named ${name}`);
  return jwk;
}
