// Headers and signatures: we and jose accept the same tokens and refuse the same, but for what is listed here.

import assert from "node:assert/strict";
import { createPublicKey } from "node:crypto";
import { before, describe, test } from "node:test";
import { createKeys, type ErrorCode, type Keys } from "idp-janitor";
import { importJWK, SignJWT } from "jose";
import { RFC } from "../support/fixtures.ts";
import { testKey, withoutSecrets } from "../support/keys.ts";
import { random } from "./random.ts";
import { watchedCache } from "./setup.ts";
import {
  ALGS,
  AUDIENCE,
  CLAIMS,
  encoded,
  ISSUER,
  joses,
  knowing,
  macOf,
  NOW,
  ours,
  published,
  SET,
  SIGNERS,
  signature,
  tokenOf,
} from "./tokens.ts";

let keys: Keys;
before(async () => {
  keys = await knowing(SET);
});

/** What is to come of a token, and whether jose takes another view. */
type Case = readonly [token: string, expected: "accepted" | ErrorCode, jose?: "accepts" | "refuses"];

function hold(cases: Readonly<Record<string, Case>>, set = SET, known?: () => Promise<Keys>): void {
  for (const [name, [token, expected, jose]] of Object.entries(cases)) {
    const view = jose === undefined ? "" : `; jose ${jose} it`;
    test(`${name}: ${expected}${view}`, async () => {
      const [our, other] = await Promise.all([ours((await known?.()) ?? keys, token), joses(set, token)]);
      assert.equal("code" in our ? our.code : "accepted", expected);
      const accepts = jose === undefined ? expected === "accepted" : jose === "accepts";
      assert.equal("claims" in other, accepts, JSON.stringify(other));
      if ("claims" in our && "claims" in other) assert.deepEqual(our.claims, other.claims);
    });
  }
}

const parts = (token: string) => token.split(".") as [header: string, claims: string, signature: string];

/** A token with another signature, from the bytes of its own. */
function resigned(token: string, change: (bytes: Buffer) => Uint8Array): string {
  const [header, claims, bytes] = parts(token);
  return `${header}.${claims}.${encoded(change(Buffer.from(bytes, "base64url")))}`;
}

/** DER, as OpenSSL has it and JOSE has not. */
function der(raw: Buffer): Buffer {
  const integer = (bytes: Buffer) => {
    let start = 0;
    while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
    const rest = bytes.subarray(start);
    const value = (rest[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.of(0), rest]) : rest;
    return Buffer.concat([Buffer.of(2, value.length), value]);
  };
  const half = raw.length / 2;
  const body = Buffer.concat([integer(raw.subarray(0, half)), integer(raw.subarray(half))]);
  const length = body.length > 127 ? Buffer.of(0x81, body.length) : Buffer.of(body.length);
  return Buffer.concat([Buffer.of(0x30), length, body]);
}

/** The order of P-256. */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

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
      const [our, other] = await Promise.all([ours(keys, token), joses(SET, token)]);
      assert.ok("claims" in our && "claims" in other, JSON.stringify([our, other]));
      assert.deepEqual(our.claims, other.claims);
    });
  }
});

for (const alg of ALGS) {
  const good = tokenOf(alg);
  const [header, claims, bytes] = parts(good);
  const others = ALGS.filter(
    (other) => other.slice(0, 2) !== alg.slice(0, 2) && SIGNERS[other] === SIGNERS[alg],
  );
  const stranger = { RS: "rs256-next", PS: "rs256-next", ES: "es256-next", Ed: "eddsa-next" }[
    alg.slice(0, 2)
  ];

  describe(`signatures by ${alg}`, () => {
    hold({
      "a good one": [good, "accepted"],
      "without a key id": [tokenOf(alg, { kid: undefined }), "accepted"],
      "an id that nobody has": [tokenOf(alg, { kid: "nobody" }), "token_key"],
      "the id of a key of another type": [
        tokenOf(alg, { kid: alg === "ES256" ? "eddsa" : "es256" }),
        "token_key",
      ],
      "an empty id": [tokenOf(alg, { kid: "" }), "token_key"],
      "no signature": [`${header}.${claims}.`, "token_signature"],
      "half a signature": [resigned(good, (all) => all.subarray(0, all.length / 2)), "token_signature"],
      // The last one: the first may be zero, and engines take an RSA signature for the number that it is.
      "a byte less": [resigned(good, (all) => all.subarray(0, -1)), "token_signature"],
      "a byte more": [resigned(good, (all) => Buffer.concat([all, Buffer.of(0)])), "token_signature"],
      "a zero before": [resigned(good, (all) => Buffer.concat([Buffer.of(0), all])), "token_signature"],
      "zeros in its place": [resigned(good, (all) => Buffer.alloc(all.length)), "token_signature"],
      "ones in its place": [resigned(good, (all) => Buffer.alloc(all.length, 0xff)), "token_signature"],
      "the signature of another token": [
        `${header}.${claims}.${parts(tokenOf(alg, {}, { sub: "2" }))[2]}`,
        "token_signature",
      ],
      "the claims of another token": [
        `${header}.${parts(tokenOf(alg, {}, { sub: "2" }))[1]}.${bytes}`,
        "token_signature",
      ],
      "the header of another token": [
        `${parts(tokenOf(alg, { typ: "at+jwt" }))[0]}.${claims}.${bytes}`,
        "token_signature",
      ],
      ...Object.fromEntries(
        others.map((other): [string, Case] => [
          `a header that says ${other}`,
          [`${parts(tokenOf(alg, { alg: other }))[0]}.${claims}.${bytes}`, "token_signature"],
        ]),
      ),
      "the MAC by its public key": [
        macOf({ alg, kid: SIGNERS[alg].kid }, JSON.stringify(SIGNERS[alg].publicJwk)),
        "token_signature",
      ],
      "three parts and a dot": [`${good}.`, "token_malformed"],
      "four parts": [`${good}.${claims}`, "token_malformed"],
      "five parts, as an encrypted one": [
        `${header}..${encoded("iv")}.${claims}.${bytes}`,
        "token_malformed",
      ],
      "two parts": [`${header}.${claims}`, "token_malformed"],
      "one part": [header, "token_malformed"],
      "dots alone": ["..", "token_malformed"],
      nothing: ["", "token_malformed"],
      "white space before": [` ${good}`, "token_malformed"],
      "a newline behind": [`${good}\n`, "token_signature", "accepts"],
      // Where it is as much as there could be, jose takes it.
      "padding behind": [`${good}==`, "token_signature", bytes.length % 4 === 2 ? "accepts" : "refuses"],
      "padding of the header": [`${header}=.${claims}.${bytes}`, "token_malformed"],
      "padding of the claims": [`${header}.${claims}=.${bytes}`, "token_signature"],
      "white space in the signature": [
        `${header}.${claims}.${bytes.slice(0, 9)} ${bytes.slice(9)}`,
        "token_signature",
        "accepts",
      ],
      "characters that are none of base64url": [
        `${header}.${claims}.${"+/".repeat(bytes.length / 2)}`,
        "token_signature",
      ],
    });

    if (alg !== "ES384" && alg !== "ES512") {
      const jwk = testKey(stranger as "rs256-next").privateJwk;
      hold({
        "another key under the right id": [tokenOf(alg, {}, {}, jwk), "token_signature"],
        "a key that it brings along": [
          tokenOf(alg, { kid: undefined, jwk: withoutSecrets(jwk) }, {}, jwk),
          "token_signature",
        ],
      });
    }
  });
}

describe("signatures by elliptic curves", () => {
  hold({
    ...Object.fromEntries(
      (["ES256", "ES384", "ES512"] as const).flatMap((alg): [string, Case][] => [
        [`${alg} in DER`, [resigned(tokenOf(alg), der), "token_signature"]],
        [
          `${alg} with r of zero`,
          [resigned(tokenOf(alg), (all) => all.fill(0, 0, all.length / 2)), "token_signature"],
        ],
        [
          `${alg} with s of zero`,
          [resigned(tokenOf(alg), (all) => all.fill(0, all.length / 2)), "token_signature"],
        ],
        [
          `${alg} with r and s swapped`,
          [
            resigned(tokenOf(alg), (all) =>
              Buffer.concat([all.subarray(all.length / 2), all.subarray(0, all.length / 2)]),
            ),
            "token_signature",
          ],
        ],
      ]),
    ),
    // Whoever has a signature can make this other one of it; it says the same of the same token.
    "ES256 with the other s": [
      resigned(tokenOf("ES256"), (all) => {
        const other = ORDER - BigInt(`0x${all.subarray(32).toString("hex")}`);
        return Buffer.concat([all.subarray(0, 32), Buffer.from(other.toString(16).padStart(64, "0"), "hex")]);
      }),
      "accepted",
    ],
    "ES256 with r and s of the order": [
      resigned(tokenOf("ES256"), () => Buffer.from(ORDER.toString(16).repeat(2), "hex")),
      "token_signature",
    ],
  });
});

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
      const our = await ours(keys, token);
      assert.equal("code" in our ? our.code : "accepted", expected, `${at}`);
      // jose drops them everywhere.
      assert.ok("claims" in (await joses(SET, token)), `${at}`);
    }
  });
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
        const [our, other] = await Promise.all([ours(keys, mangled), joses(SET, mangled)]);
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
