// Discovery documents of OpenID Connect, right and wrong.

import type { Answer } from "../exchange.ts";
import { json } from "./answers.ts";

/** What a discovery document says. */
export interface DiscoveryOptions {
  readonly issuer: string;
  /** Left out where it is undefined; nothing but a string is right. */
  readonly jwksUri?: unknown;
  /** Members to add or to replace. */
  readonly also?: Readonly<Record<string, unknown>>;
}

/** A discovery document with the members that OpenID Connect Discovery requires. */
export function discovery({ issuer, jwksUri, also }: DiscoveryOptions): Answer {
  return json({
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: jwksUri,
    response_types_supported: ["code"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["RS256", "ES256", "EdDSA"],
    ...also,
  });
}

/** Documents that a client must not believe, for a provider of this origin, by what is wrong with them. */
export function wrongDiscoveries(origin: string): Readonly<Record<string, Answer>> {
  const jwksUri = `${origin}/jwks`;
  return {
    "another issuer": discovery({ issuer: "https://elsewhere.example", jwksUri }),
    "an issuer with a slash more": discovery({ issuer: `${origin}/`, jwksUri }),
    "an issuer in capitals": discovery({ issuer: origin.toUpperCase(), jwksUri }),
    "an issuer below the origin": discovery({ issuer: `${origin}/tenant`, jwksUri }),
    "no issuer": discovery({ issuer: origin, jwksUri, also: { issuer: undefined } }),
    "an issuer that is a list": discovery({ issuer: origin, jwksUri, also: { issuer: [origin] } }),
    "no jwks_uri": discovery({ issuer: origin }),
    "an empty jwks_uri": discovery({ issuer: origin, jwksUri: "" }),
    "a jwks_uri that is a number": discovery({ issuer: origin, jwksUri: 1 }),
    "a relative jwks_uri": discovery({ issuer: origin, jwksUri: "/jwks" }),
    "a jwks_uri without TLS": discovery({ issuer: origin, jwksUri: jwksUri.replace("https:", "http:") }),
    "a jwks_uri that is a file": discovery({ issuer: origin, jwksUri: "file:///etc/passwd" }),
    "a jwks_uri that is data": discovery({ issuer: origin, jwksUri: 'data:application/json,{"keys":[]}' }),
    "a jwks_uri with a password": discovery({
      issuer: origin,
      jwksUri: jwksUri.replace("//", "//me:secret@"),
    }),
    "a list": json([]),
    null: json(null),
  };
}
