// Algorithms and headers: we and jose accept the same and refuse the same, but for what is listed here.

import assert from "node:assert/strict";
import { createPublicKey } from "node:crypto";
import { describe, test } from "node:test";
import { createKeys } from "idp-janitor";
import { testKey } from "../support/keys.ts";
import { hold, keysOfSet, parts } from "./judged.ts";
import { watchedCache } from "./setup.ts";
import {
  ALGS,
  CLAIMS,
  encoded,
  ISSUER,
  joses,
  knowing,
  macOf,
  NOW,
  ours,
  SET,
  signature,
  tokenOf,
} from "./tokens.ts";

describe("algorithms", () => {
  const pem = createPublicKey({ key: testKey("rs256").publicJwk, format: "jwk" }).export({
    type: "spki",
    format: "pem",
  });
  const kid = "rs256";
  const unsecured = (alg: unknown, end = "") =>
    `${encoded(JSON.stringify({ alg, kid }))}.${encoded(JSON.stringify(CLAIMS))}.${end}`;
  const signed = parts(tokenOf("RS256"))[2];

  hold({
    "HS256 with the public key's PEM": [macOf({ alg: "HS256", kid }, pem), "token_algorithm"],
    "HS256 with its modulus": [
      macOf({ alg: "HS256", kid }, String(testKey("rs256").publicJwk.n)),
      "token_algorithm",
    ],
    "HS256 with nothing": [macOf({ alg: "HS256", kid }, ""), "token_algorithm"],
    "RS256 that is a MAC with the PEM": [macOf({ alg: "RS256", kid }, pem), "token_signature"],
    none: [unsecured("none"), "token_algorithm"],
    "none, with a signature": [unsecured("none", signed), "token_algorithm"],
    "None, NONE, nOnE": [unsecured("None"), "token_algorithm"],
    "no algorithm": [unsecured(undefined), "token_malformed"],
    "an empty one": [unsecured(""), "token_algorithm"],
    "a list": [unsecured(["RS256"]), "token_malformed"],
    null: [unsecured(null), "token_malformed"],
    "in lower case": [unsecured("rs256", signed), "token_algorithm"],
    "with a space": [unsecured("RS256 ", signed), "token_algorithm"],
    "with a NUL": [unsecured("RS256\0", signed), "token_algorithm"],
    "of encryption": [unsecured("RSA-OAEP"), "token_algorithm"],
    "of another curve": [unsecured("ES256K"), "token_algorithm"],
    "of a prototype": [unsecured("__proto__"), "token_algorithm"],
    "of an object": [unsecured("toString"), "token_algorithm"],
  });

  for (const alg of ALGS.filter((name) => name !== "RS256")) {
    test(`${alg} is refused where the provider may only sign by RS256, which is so by default`, async () => {
      const only = createKeys({
        providers: { acme: { jwksUri: `${ISSUER}/jwks`, issuer: ISSUER } },
        cache: watchedCache(),
        fetch: async () => Response.json(SET),
        onWarning: () => {},
      });
      assert.deepEqual(await ours(only, tokenOf(alg)), { code: "token_algorithm" });
      assert.ok("claims" in (await ours(only, tokenOf("RS256"), { now: new Date(NOW * 1000) })));
    });
  }

  describe("of keys that say which is theirs", () => {
    const set = { keys: [testKey("rs256").publicJwk, { ...testKey("rs256-next").publicJwk, alg: "PS256" }] };
    const bound = knowing(set);
    const next = testKey("rs256-next");
    const under = { kid: next.kid };
    hold(
      {
        "its own": [tokenOf("RS256"), "accepted"],
        "the same key, by another hash": [tokenOf("RS384"), "token_key"],
        "the same key, by another padding": [tokenOf("PS256"), "token_key"],
        "the other's own": [tokenOf("PS256", under, {}, next.privateJwk), "accepted"],
        "the other, by another padding": [tokenOf("RS256", under, {}, next.privateJwk), "token_key"],
        "no id: the one that is for it": [
          tokenOf("PS256", { kid: undefined }, {}, next.privateJwk),
          "accepted",
        ],
      },
      set,
      () => bound,
    );
  });
});

describe("headers", () => {
  const evil = testKey("rs256-next");
  const also = (header: object) => tokenOf("RS256", header);
  const text = (header: string) => tokenOf("RS256", header);

  hold({
    "an embedded key of another, with its own signature": [
      tokenOf("RS256", { jwk: evil.publicJwk }, {}, evil.privateJwk),
      "token_signature",
    ],
    "an embedded key under its own id": [
      tokenOf("RS256", { kid: evil.kid, jwk: evil.publicJwk }, {}, evil.privateJwk),
      "token_key",
    ],
    "the address of a set": [
      tokenOf("RS256", { jku: "https://evil.example/jwks" }, {}, evil.privateJwk),
      "token_signature",
    ],
    "the address of a certificate": [
      tokenOf("RS256", { x5u: "https://evil.example/" }, {}, evil.privateJwk),
      "token_signature",
    ],
    "a certificate": [tokenOf("RS256", { x5c: ["MIIB"] }, {}, evil.privateJwk), "token_signature"],
    "all of them with a signature that holds: they are not looked at": [
      also({
        jwk: evil.publicJwk,
        jku: "https://evil.example/",
        x5u: "x",
        x5c: ["MIIB"],
        x5t: "x",
        "x5t#S256": "x",
      }),
      "accepted",
    ],
    "an unknown member": [also({ more: { a: [1] } }), "accepted"],
    "another type": [also({ typ: "at+jwt" }), "accepted"],
    "a type that is no text": [also({ typ: 5, cty: null }), "accepted"],
    "an extension that must be understood": [also({ crit: ["exp"], exp: 1 }), "token_malformed"],
    "an extension that is not there": [also({ crit: ["exp"] }), "token_malformed"],
    "no extension": [also({ crit: [] }), "token_malformed"],
    "an extension that is no list": [also({ crit: "exp" }), "token_malformed"],
    "an extension of null": [also({ crit: null }), "token_malformed"],
    // jose knows this one extension (RFC 7797). It has no place in a JWT, and we know none.
    "claims that are encoded, as it says itself": [
      also({ crit: ["b64"], b64: true }),
      "token_malformed",
      "accepts",
    ],
    "claims that are not encoded": [also({ crit: ["b64"], b64: false }), "token_malformed"],
    "b64 without crit, which is nothing": [also({ b64: false }), "accepted"],
    "an id that is a number": [also({ kid: 5 }), "token_malformed"],
    "an id that is a list": [also({ kid: ["rs256"] }), "token_malformed"],
    // Null is as good as absent, and then the signature decides.
    "an id of null": [also({ kid: null }), "accepted", "refuses"],
    "members twice, of which the last counts": [
      text('{"alg":"none","kid":"nobody","alg":"RS256","kid":"rs256"}'),
      "accepted",
    ],
    "members twice, of which the last is wrong": [
      text('{"alg":"RS256","kid":"rs256","alg":"none"}'),
      "token_algorithm",
    ],
    escapes: [text('{"\\u0061lg":"RS\\u003256","kid":"rs256"}'), "accepted"],
    "white space": [text(' {\r\n\t"alg" : "RS256" } \n'), "accepted"],
    "a prototype": [text('{"__proto__":{"alg":"RS256"},"kid":"rs256"}'), "token_malformed"],
    "a prototype, as a member like others": [
      text('{"__proto__":{"crit":["exp"]},"alg":"RS256"}'),
      "accepted",
    ],
    "no object": [text('["RS256"]'), "token_malformed"],
    "no JSON": [text('{"alg":"RS256",}'), "token_malformed"],
    nothing: [text(""), "token_malformed"],
    "two documents": [text('{"alg":"RS256"}{}'), "token_malformed"],
    // RFC 8259, section 8.1: nobody shall write it, and whoever reads may ignore it.
    "a byte order mark": [text('\ufeff{"alg":"RS256"}'), "token_malformed", "accepts"],
    "a lone surrogate": [text('{"alg":"RS256","x":"\\ud800"}'), "token_malformed", "accepts"],
    "a number that is too large": [text('{"alg":"RS256","x":1e999}'), "token_malformed", "accepts"],
    "16 levels": [text(`{"alg":"RS256","x":${"[".repeat(15)}${"]".repeat(15)}}`), "accepted"],
    "17 levels": [
      text(`{"alg":"RS256","x":${"[".repeat(16)}${"]".repeat(16)}}`),
      "token_malformed",
      "accepts",
    ],
    "64 KiB": [also({ x: "x".repeat(48_000) }), "accepted"],
    "more than 64 KiB": [also({ x: "x".repeat(49_500) }), "token_malformed", "accepts"],
  });

  for (const [name, bytes] of Object.entries({
    "no UTF-8": Buffer.from('{"alg":"RS256","x":"\xff"}', "latin1"),
    "half a character": Buffer.from('{"alg":"RS256","x":"\xc3"}', "latin1"),
    "an overlong one": Buffer.from('{"alg":"RS256","x":"\xc0\xaf"}', "latin1"),
  })) {
    const input = `${encoded(bytes)}.${encoded(JSON.stringify(CLAIMS))}`;
    hold({ [name]: [`${input}.${encoded(signature("RS256", input))}`, "token_malformed"] });
  }

  test("unused bits of the header and the claims are zero; those of a signature are nobody's concern", async () => {
    for (const [at, expected] of [
      [0, "token_malformed"],
      [1, "token_malformed"],
      [2, "accepted"],
    ] as const) {
      // A length that leaves bits over, in every part.
      const pieces = [
        JSON.stringify({ alg: "RS256", kid: "rs256", x: "" }),
        JSON.stringify({ ...CLAIMS, x: "" }),
      ].map((piece) => encoded(piece.replace('"x":""', `"x":"${"x".repeat((4 - (piece.length % 3)) % 3)}"`)));
      const turned = (piece: string) =>
        piece.slice(0, -1) + String.fromCharCode(piece.charCodeAt(piece.length - 1) + 1);
      const [header = "", claims = ""] = pieces.map((piece, index) => (index === at ? turned(piece) : piece));
      const made = encoded(signature("RS256", `${header}.${claims}`));
      const token = `${header}.${claims}.${at === 2 ? turned(made) : made}`;
      const our = await ours(await keysOfSet(), token);
      assert.equal("code" in our ? our.code : "accepted", expected, `${at}`);
      // jose drops them everywhere.
      assert.ok("claims" in (await joses(SET, token)), `${at}`);
    }
  });
});
