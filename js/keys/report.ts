import type { ErrorCode } from "../errors.ts";

/** Why a key is not used to verify signatures. */
export type KeyReason =
  /** A `kty` that is not known. */
  | "unsupported_type"
  /** A `crv` that signatures are not verified with. */
  | "unsupported_curve"
  /** An `alg` that is none of signatures, or not one of such a key. */
  | "unsupported_algorithm"
  /** A `use` or `key_ops` other than for verifying signatures. */
  | "unsupported_use"
  /** A shared secret: whoever can read it can sign. */
  | "symmetric"
  /** Its private half is published: whoever can read it can sign. */
  | "private"
  /** RSA of less than 2048 or more than 16,384 bits, or with an exponent that cannot be one. */
  | "weak"
  /** A member is missing or cannot be read. */
  | "malformed"
  /** Its point is not on its curve, or of small order. */
  | "off_curve";

/** What is said of one key of a set. Absent is what the key does not have or what cannot be read. */
export interface KeyVerdict {
  readonly kid?: string;
  readonly kty?: string;
  readonly alg?: string;
  readonly crv?: string;
  /** RFC 7638, by SHA-256, in base64url. */
  readonly thumbprint?: string;
  /** Whether signatures are verified with it. */
  readonly usable: boolean;
  /** Why not; absent where it is usable. */
  readonly reason?: KeyReason;
  /** The same for a person. */
  readonly message?: string;
}

/** A key set that was read and judged. */
export interface JudgedKeySet {
  /** Every key, in the order of the set. */
  readonly keys: readonly KeyVerdict[];
  /** What a person should know, published secrets first. */
  readonly warnings: readonly string[];
  /** The usable keys with their registered public members, as the JSON text of a key set. */
  readonly keySet: string;
}

/** What is told about the refresh of one client's keys. */
export interface ClientReport {
  /** The provider's key. */
  readonly client: string;
  /** Where its keys are, or how far the search for them came. */
  readonly uri: string;
  /**
   * `refreshed`: there are other keys than before, or the first ones. `unchanged`: the provider has the keys that it had.
   * `failed`: the keys are what they were before.
   */
  readonly outcome: "refreshed" | "unchanged" | "failed";
  /** The keys that are kept now, and those of the provider's that were set aside. */
  readonly keys: readonly KeyVerdict[];
  /** Ids of keys that were not there before; thumbprints of those without an id. */
  readonly added: readonly string[];
  /** Ids of keys that are there no more. */
  readonly removed: readonly string[];
  /** Ids that stand for another key than before. */
  readonly changed: readonly string[];
  /** Until when the provider need not be asked again, RFC 3339; absent without keys. */
  readonly freshUntil?: string;
  /** Until when the keys are used if the provider cannot be asked, RFC 3339; absent without keys. */
  readonly usableUntil?: string;
  /** What failed. */
  readonly error?: { readonly code: ErrorCode; readonly message: string };
  /** What a person should know. */
  readonly warnings: readonly string[];
}

/** What a refresh did. */
export interface KeyReport {
  readonly job: "refresh_oidc_clients_jwks";
  /** One report a client, in the order in which they are configured. */
  readonly clients: readonly ClientReport[];
}

/** The record of an attempt that failed. */
export interface FailedAttempt {
  /** RFC 3339. */
  readonly at: string;
  readonly code: ErrorCode;
  readonly message: string;
}

/** What the cache has of a provider. */
export interface KeyStatus {
  /** The provider's key. */
  readonly client: string;
  /**
   * `fresh`: used, and the provider need not be asked. `stale`: used, and the provider should be asked. `too_old`: used no
   * more. `missing`: there is nothing, or nothing that belongs to the provider as it is configured now.
   */
  readonly state: "fresh" | "stale" | "too_old" | "missing";
  /** Where the keys were found; absent where they are missing, as are the four instants. */
  readonly uri?: string;
  /** The keys that are kept; empty where they are missing. */
  readonly keys: readonly KeyVerdict[];
  /** When the provider first gave this set, RFC 3339. */
  readonly fetchedAt?: string;
  /** When the provider last said that it holds, RFC 3339. */
  readonly checkedAt?: string;
  /** Until when the provider need not be asked again, RFC 3339. */
  readonly freshUntil?: string;
  /** Until when the keys are used if the provider cannot be asked, RFC 3339. */
  readonly usableUntil?: string;
  /** The last attempt that failed, if none has succeeded since; also where the keys are missing. */
  readonly lastFailure?: FailedAttempt;
}
