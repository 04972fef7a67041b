// Tokens: we and jose accept the same and refuse the same, but for what is listed here.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createKeys, type ErrorCode } from "idp-janitor";
import { importJWK, SignJWT } from "jose";
import { RFC } from "../support/fixtures.ts";
import { testKey, withoutSecrets } from "../support/keys.ts";
import { hold, keysOfSet } from "./judged.ts";
import { random } from "./random.ts";
import { watchedCache } from "./setup.ts";
import {
  ALGS,
  AUDIENCE,
  CLAIMS,
  ISSUER,
  joses,
  knowing,
  NOW,
  ours,
  published,
  SET,
  SIGNERS,
  tokenOf,
} from "./tokens.ts";

describe("tokens that jose signs", () => {
  for (const alg of ALGS) {
    test(`${alg}: accepted, with the same claims`, async () => {
      const { kid, privateJwk } = SIGNERS[alg];
      const key = await importJWK({ ...privateJwk, alg }, alg);
      const token = await new SignJWT({ name: "Zoë \u{1f511}", roles: ["a", "b"], deep: { n: 1.5 } })
        .setProtectedHeader({ alg, kid })
        .setIssuer(ISSUER)
        .setSubject("1")
        .setAudience([AUDIENCE, "other"])
        .setIssuedAt(NOW)
        .setExpirationTime(NOW + 60)
        .sign(key);
      const [our, other] = await Promise.all([ours(await keysOfSet(), token), joses(SET, token)]);
      assert.ok("claims" in our && "claims" in other, JSON.stringify([our, other]));
      assert.deepEqual(our.claims, other.claims);
    });
  }
});

describe("which key", () => {
  const [first, second] = [testKey("rs256", "twice"), testKey("rs256-next", "twice")];
  const twice = published(first, second);
  const known = knowing(twice);
  const by = (jwk: (typeof first)["privateJwk"], kid?: string) => tokenOf("RS256", { kid }, {}, jwk);

  // jose wants exactly one; it lets its caller try the others. We try each, as HIdP does.
  hold(
    {
      "the first of two under one id": [by(first.privateJwk, "twice"), "accepted", "refuses"],
      "the second of two under one id": [by(second.privateJwk, "twice"), "accepted", "refuses"],
      "one of two, without an id": [by(second.privateJwk), "accepted", "refuses"],
      "none of two": [by(testKey("google-1").privateJwk, "twice"), "token_signature"],
      "none of two, without an id": [by(testKey("google-1").privateJwk), "token_signature"],
    },
    twice,
    () => known,
  );

  test("one that says something odd about itself beside what makes it: used as what it is", async () => {
    for (const [alg, also] of [
      ["RS256", { key_ops: ["verify", "verify"] }],
      ["RS256", { key_ops: ["verify", "sign"] }],
      ["EdDSA", { alg: "Ed25519" }],
      ["Ed25519", { alg: "EdDSA" }],
    ] as const) {
      const [jwk] = published(SIGNERS[alg]).keys;
      // The two names of one algorithm are two to a key that says which one is its own.
      const expected = "alg" in also ? { code: "token_key" } : { claims: CLAIMS };
      assert.deepEqual(await ours(await knowing({ keys: [{ ...jwk, ...also }] }), tokenOf(alg)), expected);
    }
  });

  test("of another provider: not even looked at", async () => {
    const both = createKeys({
      providers: {
        acme: { jwksUri: `${ISSUER}/jwks`, issuer: ISSUER },
        other: { jwksUri: "https://other.example/jwks", issuer: "https://other.example" },
      },
      cache: watchedCache(),
      onWarning: () => {},
      fetch: async (url) =>
        Response.json(published(testKey(url.startsWith(ISSUER) ? "rs256" : "rs256-next"))),
      clock: () => NOW * 1000,
    });
    await both.refresh();
    const theirs = testKey("rs256-next");
    assert.deepEqual(await ours(both, by(theirs.privateJwk, theirs.kid)), { code: "token_key" });
    assert.deepEqual(await ours(both, by(theirs.privateJwk)), { code: "token_signature" });
    assert.ok("claims" in (await ours(both, by(first.privateJwk))));
    // Each by its own issuer and its own keys.
    const token = tokenOf("RS256", { kid: theirs.kid }, { iss: "https://other.example" }, theirs.privateJwk);
    assert.ok("claims" in (await ours(both, token, { provider: "other" })));
    assert.deepEqual(await ours(both, token), { code: "token_key" });
    const confused = tokenOf("RS256", { kid: theirs.kid }, {}, theirs.privateJwk);
    assert.deepEqual(await ours(both, confused, { provider: "other" }), { code: "token_claims" });
  });
});

describe("the examples of the RFCs", () => {
  const EXPECTED: Readonly<Record<string, ErrorCode>> = {
    "RFC 7515 A.1, HS256": "token_algorithm",
    // Their signatures hold; their claims are of an old time and another issuer, or no claims at all.
    "RFC 7515 A.2, RS256": "token_claims",
    "RFC 7515 A.3, ES256": "token_claims",
    "RFC 7515 A.4, ES512": "token_malformed",
    "RFC 7515 A.5, none": "token_algorithm",
    "RFC 8037 A.4, EdDSA": "token_malformed",
    "RFC 7515 A.1, HS256, a bit of the payload turned": "token_algorithm",
    "RFC 7515 A.2, RS256, a bit of the payload turned": "token_signature",
    "RFC 7515 A.3, ES256, a bit of the payload turned": "token_signature",
    "RFC 7515 A.4, ES512, a bit of the payload turned": "token_signature",
    "RFC 8037 A.4, EdDSA, a bit of the payload turned": "token_signature",
  };

  for (const { from, key, token, expected } of RFC.tokens) {
    test(`${from} (${expected}): ${EXPECTED[from]}`, async () => {
      const isPublic = key !== null && key.kty !== "oct";
      const set = isPublic ? { keys: [withoutSecrets(key)] } : SET;
      assert.deepEqual(await ours(await knowing(set), token), { code: EXPECTED[from] });
      const [header = "", claims = ""] = token.split(".");
      // The same header and claims under no signature, so that it is the signature that made the difference.
      if (expected === "verified" && isPublic) {
        assert.deepEqual(await ours(await knowing(set), `${header}.${claims}.AA`), {
          code: "token_signature",
        });
      }
    });
  }

  test("are all there", () => {
    assert.deepEqual(RFC.tokens.map(({ from }) => from).sort(), Object.keys(EXPECTED).sort());
  });
});

describe("tokens with something turned in them", () => {
  const SEED = 20_261_123;
  const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=.+/ \n\0é";

  for (const alg of ALGS) {
    test(`${alg}: we and jose agree on each, but for what jose leaves out of a signature`, async () => {
      const next = random(SEED + ALGS.indexOf(alg));
      let accepted = 0;
      for (let time = 0; time < 60; time += 1) {
        const token = [tokenOf(alg), tokenOf(alg, { kid: undefined })][time % 2] ?? "";
        const at = next(token.length);
        const character = ALPHABET[next(ALPHABET.length)] ?? "";
        const mangled = [
          token.slice(0, at) + character + token.slice(at + 1),
          token.slice(0, at) + character + token.slice(at),
          token.slice(0, at) + token.slice(at + 1),
          token.slice(0, at) +
            token
              .slice(at, at + 9)
              .split("")
              .reverse()
              .join("") +
            token.slice(at + 9),
        ][next(4)];
        assert.ok(mangled !== undefined);
        const message = `seed ${SEED}, ${time}: ${mangled}`;
        const [our, other] = await Promise.all([ours(await keysOfSet(), mangled), joses(SET, mangled)]);
        const said = mangled.slice(0, mangled.lastIndexOf("."));
        if ("claims" in our) {
          // Only what does not say anything else can be accepted.
          assert.equal(said, token.slice(0, token.lastIndexOf(".")), message);
          assert.ok("claims" in other, message);
          assert.deepEqual(our.claims, other.claims);
          accepted += 1;
        } else if ("claims" in other) {
          // White space and padding, which are none of base64url.
          assert.match(mangled.slice(said.length + 1), /[^\w-]/, message);
          assert.equal(our.code, "token_signature", message);
        }
      }
      assert.ok(accepted < 15, `${accepted}`);
    });
  }
});
