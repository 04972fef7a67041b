import assert from "node:assert/strict";
import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type JsonWebKey,
  type KeyObject,
  sign,
  timingSafeEqual,
  verify,
  X509Certificate,
} from "node:crypto";
import { describe, test } from "node:test";
import { calculateJwkThumbprint, createLocalJWKSet, importJWK, jwtVerify } from "jose";
import {
  GOOGLE,
  type Jwk,
  type KeySet,
  MICROSOFT,
  ODD_KEYS,
  oddKey,
  RFC,
  type RfcToken,
} from "./fixtures.ts";
import { type KeyName, keySet, makeKey, signToken, testKey, withoutSecrets } from "./keys.ts";

const NAMES = [
  "rs256",
  "rs256-next",
  "es256",
  "es256-next",
  "es384",
  "es512",
  "eddsa",
  "eddsa-next",
  "google-1",
  "google-2",
  "microsoft-1",
  "microsoft-2",
  "microsoft-3",
] as const satisfies KeyName[];

/** The set as jose wants it typed. */
function judge(set: KeySet): ReturnType<typeof createLocalJWKSet> {
  return createLocalJWKSet({ keys: set.keys.map((key) => ({ ...key, kty: String(key.kty) })) });
}

function publicKey(jwk: Jwk): KeyObject {
  return createPublicKey({ key: jwk as JsonWebKey, format: "jwk" });
}

describe("test keys", () => {
  for (const name of NAMES) {
    test(`${name} signs what jose verifies by its public half, and by no other`, async () => {
      const key = testKey(name);
      const token = await signToken(key, { sub: "somebody" });
      const { payload, protectedHeader } = await jwtVerify(token, judge(keySet(testKey("es256", "?"), key)));
      assert.deepEqual(payload, { sub: "somebody" });
      assert.deepEqual(protectedHeader, { alg: key.alg, kid: key.kid, typ: "JWT" });
      assert.deepEqual(
        Object.keys(key.publicJwk).filter((member) => ["d", "p", "q", "dp", "dq", "qi"].includes(member)),
        [],
      );
      assert.equal(key.publicJwk.use, "sig");
      const other = name === "es256" ? testKey("es256-next", key.kid) : testKey("es256", key.kid);
      await assert.rejects(jwtVerify(token, judge(keySet(other))));
    });
  }

  test("the weak one signs, and jose refuses its token", async () => {
    const key = testKey("rsa-1024");
    const token = await signToken(key, {});
    await assert.rejects(jwtVerify(token, judge(keySet(key))), /2048/);
    assert.deepEqual(key.publicJwk, oddKey("rsa-1024"));
  });

  test("a header can be replaced, and a kid", async () => {
    const token = await signToken(testKey("es256", "other"), {}, { typ: undefined, extra: 1 });
    const header = JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString());
    assert.deepEqual(header, { alg: "ES256", kid: "other", extra: 1 });
  });

  test("new keys are new, and work", async () => {
    for (const alg of ["ES256", "ES384", "ES512", "EdDSA", "RS256"] as const) {
      const [one, two] = await Promise.all([makeKey(alg, "new"), makeKey(alg, "new")]);
      assert.notDeepEqual(one.publicJwk, two.publicJwk);
      await jwtVerify(await signToken(one, {}), judge(keySet(one)));
    }
  });
});

describe("sets of providers", () => {
  test("Google's and Microsoft's have the public halves of the test keys", () => {
    const halves = (set: KeySet) => set.keys.map(({ kid, n, e }) => ({ kid, n, e }));
    assert.deepEqual(halves(GOOGLE), halves(keySet(testKey("google-1"), testKey("google-2"))));
    assert.deepEqual(
      halves(MICROSOFT),
      halves(keySet(testKey("microsoft-1"), testKey("microsoft-2"), testKey("microsoft-3"))),
    );
  });

  test("Microsoft's certificates are of its keys, and x5t of its certificates", () => {
    for (const jwk of MICROSOFT.keys) {
      const [encoded] = jwk.x5c as string[];
      const certificate = new X509Certificate(Buffer.from(encoded ?? "", "base64"));
      assert.deepEqual(certificate.publicKey.export({ format: "jwk" }), { kty: "RSA", n: jwk.n, e: jwk.e });
      assert.equal(createHash("sha1").update(certificate.raw).digest("base64url"), jwk.x5t);
      assert.equal(jwk.kid, jwk.x5t);
    }
  });
});

describe("odd keys", () => {
  const bits = (name: string) => publicKey(oddKey(name)).asymmetricKeyDetails?.modulusLength;
  const exponent = (name: string) => publicKey(oddKey(name)).asymmetricKeyDetails?.publicExponent;
  const size = (value: unknown) => Buffer.from(String(value), "base64url").length;

  test("each bears its name as its id", () => {
    for (const [name, jwk] of Object.entries(ODD_KEYS)) assert.equal(jwk.kid, name);
  });

  test("weak ones are keys, and as weak as they say", () => {
    assert.deepEqual([bits("rsa-1024"), bits("rsa-2047"), bits("rsa-n-of-32768-bits")], [1024, 2047, 32_768]);
    assert.deepEqual([exponent("rsa-e-1"), exponent("rsa-e-2"), exponent("rsa-e-3")], [1n, 2n, 3n]);
    assert.equal(Number(Buffer.from(String(oddKey("rsa-n-even").n), "base64url").at(-1)) % 2, 0);
  });

  test("points off their curve are refused by OpenSSL", () => {
    for (const name of ["ec-off-its-curve", "ec-at-infinity", "ec-of-another-curve"]) {
      assert.throws(() => publicKey(oddKey(name)), name);
    }
  });

  test("lengths are wrong where they say so", () => {
    assert.deepEqual([size(oddKey("okp-31-bytes").x), size(oddKey("okp-33-bytes").x)], [31, 33]);
    assert.deepEqual([size(oddKey("ec-x-short").x), size(oddKey("ec-x-short").y)], [31, 32]);
    assert.equal(Buffer.from(String(oddKey("rsa-n-with-leading-zero").n), "base64url")[0], 0);
    assert.match(String(oddKey("rsa-n-of-base64").n), /[+/=]/);
  });

  test("leaked ones sign", () => {
    for (const name of ["rsa-private", "ec-private", "okp-private"]) {
      const jwk = oddKey(name);
      const hash = jwk.kty === "OKP" ? null : "sha256";
      const key = createPrivateKey({ key: jwk as JsonWebKey, format: "jwk" });
      const signature = sign(hash, Buffer.from("it leaks"), key);
      assert.ok(verify(hash, Buffer.from("it leaks"), publicKey(withoutSecrets(jwk)), signature), name);
    }
    assert.equal(size(oddKey("oct-secret").k), 32);
    assert.ok("d" in oddKey("rsa-private-d-only") && !("p" in oddKey("rsa-private-d-only")));
  });
});

/** What Node's crypto says of a token. */
function check({ key, token }: RfcToken): RfcToken["expected"] {
  const [header = "", payload = "", tail = ""] = token.split(".");
  const { alg } = JSON.parse(Buffer.from(header, "base64url").toString());
  const input = Buffer.from(`${header}.${payload}`);
  const signature = Buffer.from(tail, "base64url");
  if (alg === "none") return signature.length === 0 ? "unsecured" : "refused";
  assert.ok(key);
  if (alg === "HS256") {
    const mac = createHmac("sha256", Buffer.from(String(key.k), "base64url"))
      .update(input)
      .digest();
    return timingSafeEqual(mac, signature) ? "verified" : "refused";
  }
  const hash = { RS256: "sha256", ES256: "sha256", ES512: "sha512", EdDSA: null }[String(alg)];
  assert.notEqual(hash, undefined, alg);
  const bare = { key: publicKey(withoutSecrets(key)), dsaEncoding: "ieee-p1363" } as const;
  return verify(hash, input, bare, signature) ? "verified" : "refused";
}

describe("the examples of the RFCs", () => {
  for (const example of RFC.tokens) {
    test(`${example.from} is ${example.expected}`, () => assert.equal(check(example), example.expected));
  }

  test("all six tokens are there, and the payloads are those of the RFCs", () => {
    const genuine = RFC.tokens.filter((example) => example.expected !== "refused");
    const payloads = genuine.map(({ token }) =>
      Buffer.from(token.split(".")[1] ?? "", "base64url").toString(),
    );
    const claims = '{"iss":"joe",\r\n "exp":1300819380,\r\n "http://example.com/is_root":true}';
    assert.deepEqual(payloads, [claims, claims, claims, "Payload", claims, "Example of Ed25519 signing"]);
  });

  for (const { from, key, thumbprint } of RFC.thumbprints) {
    test(`${from}: the thumbprint, by hand and by jose`, async () => {
      const members = key.kty === "RSA" ? ["e", "kty", "n"] : ["crv", "kty", "x"];
      const canonical = JSON.stringify(Object.fromEntries(members.map((member) => [member, key[member]])));
      assert.equal(createHash("sha256").update(canonical).digest("base64url"), thumbprint);
      assert.equal(await calculateJwkThumbprint({ ...key, kty: String(key.kty) }), thumbprint);
    });
  }

  test("7517: the private set is that of the public one, and its halves fit", () => {
    const [open, secret] = [RFC.sets["RFC 7517 A.1"]?.keys ?? [], RFC.sets["RFC 7517 A.2"]?.keys ?? []];
    assert.deepEqual(secret.map(withoutSecrets), open);
    for (const jwk of [...secret, ...Object.values(RFC.keys).filter((key) => "d" in key)]) {
      const { kid: _kid, use: _use, alg: _alg, ...bare } = withoutSecrets(jwk);
      const key = createPrivateKey({ key: jwk as JsonWebKey, format: "jwk" });
      assert.deepEqual(createPublicKey(key).export({ format: "jwk" }), bare);
      const hash = jwk.kty === "OKP" ? null : "sha256";
      assert.ok(verify(hash, Buffer.from("x"), publicKey(bare), sign(hash, Buffer.from("x"), key)));
    }
    assert.equal(open.length, 2);
  });

  test("7517 B: the certificate is of the key", () => {
    const jwk = RFC.keys["RFC 7517 B"] ?? {};
    const [encoded] = jwk.x5c as string[];
    const certificate = new X509Certificate(Buffer.from(encoded ?? "", "base64"));
    assert.deepEqual(certificate.publicKey.export({ format: "jwk" }), { kty: "RSA", n: jwk.n, e: jwk.e });
    assert.ok(certificate.verify(certificate.publicKey));
  });

  test("7518 C: Alice and Bob derive the key that it gives, from either side", () => {
    const { algorithm, bits, apu, apv, derived } = RFC.agreement;
    const [alice = {}, bob = {}] = [RFC.keys["RFC 7518 C, Alice"], RFC.keys["RFC 7518 C, Bob"]];
    const number = (value: number) => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value);
      return bytes;
    };
    const counted = (text: string) => Buffer.concat([number(text.length), Buffer.from(text)]);
    for (const [own, theirs] of [
      [alice, bob],
      [bob, alice],
    ] as const) {
      const privateKey = createPrivateKey({ key: own as JsonWebKey, format: "jwk" });
      const shared = diffieHellman({ privateKey, publicKey: publicKey(withoutSecrets(theirs)) });
      const round = [number(1), shared, counted(algorithm), counted(apu), counted(apv), number(bits)];
      const key = createHash("sha256").update(Buffer.concat(round)).digest();
      assert.equal(key.subarray(0, bits / 8).toString("base64url"), derived);
    }
  });

  test("jose imports every key of the sets", async () => {
    for (const jwk of Object.values(RFC.sets).flatMap((set) => set.keys)) {
      // An encryption key that names no algorithm needs one to be imported as.
      const alg = typeof jwk.alg === "string" ? jwk.alg : "ECDH-ES";
      await importJWK({ ...jwk, kty: String(jwk.kty) }, alg);
    }
  });
});
