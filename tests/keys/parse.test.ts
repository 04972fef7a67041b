// `parseKeySet`: what a set is judged to be, and what is told of it.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ErrorCode, type KeyReason, parseKeySet } from "idp-janitor";
import { calculateJwkThumbprint, importJWK } from "jose";
import { GOOGLE, type Jwk, MICROSOFT, ODD_KEYS, oddKey, RFC } from "../support/fixtures.ts";
import { keySet, testKey } from "../support/keys.ts";
import { AMBIGUOUS_SETS, NO_SETS } from "../support/scenarios.ts";

const GOOD = testKey("rs256").publicJwk;
const MIB = 1024 * 1024;

const setOf = (...keys: readonly unknown[]) => JSON.stringify({ keys });
const keysOf = (text: string): Jwk[] => JSON.parse(text).keys;

describe("what is no key set", () => {
  const CASES: Readonly<Record<string, readonly [text: string, code: ErrorCode, message?: RegExp]>> = {
    nothing: ["", "key_set_not_json"],
    "white space": [" \n", "key_set_not_json"],
    HTML: [
      "<!DOCTYPE html>\n<p>",
      "key_set_not_json",
      /line 1, column 1\); it begins with `<!DOCTYPE html> <p>`/,
    ],
    "a set that is cut off": [setOf(GOOD).slice(0, -1), "key_set_not_json"],
    "a set with a comma more": [setOf(GOOD).replace("]}", ",]}"), "key_set_not_json"],
    "two sets": [setOf(GOOD) + setOf(GOOD), "key_set_not_json"],
    "a byte order mark": [`\ufeff${setOf(GOOD)}`, "key_set_not_json"],
    "a lone surrogate": [setOf({ ...GOOD, kid: "x" }).replace('"x"', '"\\ud800"'), "key_set_not_json"],
    "a comment": [`/* keys */${setOf(GOOD)}`, "key_set_not_json"],
    null: ["null", "key_set_malformed"],
    "a number": ["1", "key_set_malformed"],
    text: ['"keys"', "key_set_malformed"],
    "a list": [JSON.stringify([GOOD]), "key_set_malformed", /no object/],
    "a bare key": [JSON.stringify(GOOD), "key_set_malformed", /no `keys`/],
    "keys under another name": [JSON.stringify({ Keys: [GOOD] }), "key_set_malformed", /no `keys`/],
    "keys that are an object": [JSON.stringify({ keys: { GOOD } }), "key_set_malformed", /no list/],
    "keys that are null": ['{"keys":null}', "key_set_malformed"],
    "no keys": [setOf(), "key_set_empty"],
    "nothing but what is no key": [setOf(null, 1, "key", [], {}), "key_set_unusable", /none of the 5 keys/],
    "101 keys": [
      setOf(...Array.from({ length: 101 }, () => GOOD)),
      "key_set_too_many_keys",
      /101 keys, and 100/,
    ],
    "17 levels": [`{"keys":${"[".repeat(16)}${"]".repeat(16)}}`, "key_set_too_deep"],
    "200,000 levels": [`{"keys":${"[".repeat(200_000)}`, "key_set_too_deep"],
    "levels elsewhere": [
      `{"also":${"[".repeat(16)}${"]".repeat(16)},${setOf(GOOD).slice(1)}`,
      "key_set_too_deep",
    ],
    "a byte more than a MiB": [
      setOf(GOOD).padEnd(MIB + 1),
      "key_set_too_large",
      /1048577 bytes, and 1048576/,
    ],
    "fewer characters than bytes": [setOf({ ...GOOD, note: "ä".repeat(MIB / 2) }), "key_set_too_large"],
  };

  for (const [name, [text, code, message = /./]] of Object.entries(CASES)) {
    test(`${name}: ${code}`, () => {
      assert.throws(() => parseKeySet(text), { name: "JanitorError", code, message });
    });
  }

  test("everything that a provider may give instead", () => {
    for (const [name, { body }] of Object.entries(NO_SETS)) {
      assert.throws(
        () => parseKeySet(new TextDecoder().decode(Buffer.from(body as string))),
        { code: /^key_set_/ },
        name,
      );
    }
  });

  test("bounds are bounds: what reaches them is a set", () => {
    assert.equal(parseKeySet(setOf(GOOD).padEnd(MIB)).keys.length, 1);
    assert.equal(parseKeySet(setOf(...Array.from({ length: 100 }, () => GOOD))).keys.length, 100);
    assert.equal(
      parseKeySet(`{"a":${"[".repeat(15)}${"]".repeat(15)},${setOf(GOOD).slice(1)}`).keys.length,
      1,
    );
    assert.equal(parseKeySet(setOf({ ...GOOD, note: "[".repeat(100) })).keys.length, 1);
  });
});

describe("which keys are used", () => {
  const REASONS: Readonly<Record<string, KeyReason | "used">> = {
    "rsa-private": "private",
    "rsa-private-d-only": "private",
    "ec-private": "private",
    "okp-private": "private",
    "oct-secret": "symmetric",
    "rsa-1024": "weak",
    "rsa-2047": "weak",
    "rsa-e-1": "weak",
    "rsa-e-2": "weak",
    "rsa-e-3": "used",
    "rsa-e-0": "malformed",
    "rsa-e-as-long-as-n": "weak",
    "rsa-n-even": "weak",
    "rsa-n-with-leading-zero": "used",
    "rsa-n-of-32768-bits": "weak",
    "rsa-n-empty": "malformed",
    "rsa-n-missing": "malformed",
    "rsa-n-of-base64": "malformed",
    "rsa-n-of-another-alphabet": "malformed",
    "rsa-n-a-number": "malformed",
    "ec-off-its-curve": "off_curve",
    "ec-at-infinity": "off_curve",
    "ec-x-short": "malformed",
    "ec-y-missing": "malformed",
    "ec-of-another-curve": "malformed",
    "ec-alg-of-another-curve": "unsupported_algorithm",
    "ec-alg-of-rsa": "unsupported_algorithm",
    "ec-curve-unknown": "unsupported_curve",
    "ec-curve-missing": "malformed",
    "okp-31-bytes": "malformed",
    "okp-33-bytes": "malformed",
    "okp-of-small-order": "off_curve",
    "okp-for-agreement": "unsupported_curve",
    "okp-curve-unknown": "unsupported_curve",
    "kty-unknown": "unsupported_type",
    "kty-missing": "malformed",
    "kty-in-lower-case": "unsupported_type",
    "use-enc": "unsupported_use",
    "use-unknown": "unsupported_use",
    "ops-sign-only": "unsupported_use",
    "alg-unknown": "unsupported_algorithm",
    "alg-none": "unsupported_algorithm",
    "alg-symmetric": "unsupported_algorithm",
  };

  test("the table has every odd key", () => {
    assert.deepEqual(Object.keys(REASONS).sort(), Object.keys(ODD_KEYS).sort());
  });

  for (const [name, expected] of Object.entries(REASONS)) {
    test(`${name}: ${expected}, beside a good key and alone`, () => {
      const [, verdict] = parseKeySet(setOf(GOOD, oddKey(name))).keys;
      assert.ok(verdict);
      assert.deepEqual(
        [verdict.usable, verdict.reason],
        expected === "used" ? [true, undefined] : [false, expected],
      );
      assert.equal(verdict.message === undefined, expected === "used");
      if (expected !== "used")
        assert.throws(() => parseKeySet(setOf(oddKey(name))), { code: "key_set_unusable" });
    });
  }

  test("members that are not of a key are what is wrong with it", () => {
    for (const [jwk, reason] of [
      [{ ...GOOD, kid: 5 }, "malformed"],
      [{ ...GOOD, alg: ["RS256"] }, "malformed"],
      [{ ...GOOD, key_ops: "verify" }, "malformed"],
      [{ ...GOOD, kid: "x".repeat(513) }, "malformed"],
      [{ ...GOOD, key_ops: [] }, "unsupported_use"],
      [{ ...GOOD, use: "" }, "unsupported_use"],
      [{ ...GOOD, k: "" }, "private"],
      [{ ...GOOD, d: "x", kid: 5 }, "private"],
    ] as const) {
      assert.equal(parseKeySet(setOf(GOOD, jwk)).keys[1]?.reason, reason, JSON.stringify(jwk));
    }
    for (const jwk of [
      // Nothing is published by nothing.
      { ...GOOD, d: null },
      { ...GOOD, key_ops: ["verify"] },
      { ...GOOD, key_ops: ["sign", "verify"] },
      { ...GOOD, kid: null, alg: null },
      { ...GOOD, kid: "" },
      { ...GOOD, kid: "x".repeat(512) },
      { ...GOOD, alg: "PS512" },
    ]) {
      assert.ok(parseKeySet(setOf(jwk)).keys[0]?.usable, JSON.stringify(jwk));
    }
  });

  test("the sets of the RFCs", () => {
    const judged = Object.entries(RFC.sets).map(([name, set]) => {
      try {
        return [name, parseKeySet(JSON.stringify(set)).keys.map(({ reason = "used" }) => reason)];
      } catch (error) {
        return [name, error instanceof Error && "code" in error ? error.code : error];
      }
    });
    assert.deepEqual(Object.fromEntries(judged), {
      "RFC 7517 A.1": ["unsupported_use", "used"],
      "RFC 7517 A.2": "key_set_unusable",
      "RFC 7517 A.3": "key_set_unusable",
    });
    const reasons = Object.entries(RFC.keys).map(([name, jwk]) => [
      name,
      parseKeySet(setOf(GOOD, jwk)).keys[1]?.reason ?? "used",
    ]);
    assert.deepEqual(Object.fromEntries(reasons), {
      "RFC 7517 B": "used",
      "RFC 7517 C.1": "private",
      "RFC 7518 C, Alice": "private",
      "RFC 7518 C, Bob": "private",
      "RFC 8037 A.1": "private",
      "RFC 8037 A.2": "used",
    });
  });
});

describe("what is told", () => {
  test("Google's set: two keys, nothing to be told, all of it kept", () => {
    const { keys, warnings, keySet } = parseKeySet(JSON.stringify(GOOGLE));
    assert.deepEqual(
      keys.map(({ kid, kty, alg, usable }) => [kid, kty, alg, usable]),
      GOOGLE.keys.map(({ kid }) => [kid, "RSA", "RS256", true]),
    );
    assert.deepEqual([warnings, JSON.parse(keySet)], [[], GOOGLE]);
  });

  test("Microsoft's set: three keys without an algorithm, of which the registered members are kept", () => {
    const { keys, warnings, keySet } = parseKeySet(JSON.stringify(MICROSOFT));
    assert.deepEqual(
      keys.map(({ kid, kty, alg, usable }) => [kid, kty, alg, usable]),
      MICROSOFT.keys.map(({ kid }) => [kid, "RSA", undefined, true]),
    );
    assert.deepEqual(warnings, []);
    for (const key of keysOf(keySet)) {
      assert.deepEqual(Object.keys(key).sort(), ["e", "kid", "kty", "n", "use", "x5c", "x5t"]);
    }
  });

  test("secrets first and by name, then what was set aside, ids twice, and keys without one", () => {
    const { kid: _kid, ...nameless } = testKey("es256").publicJwk;
    const odd = ["kty-unknown", "oct-secret", "use-enc", "rsa-private"].map(oddKey);
    const { warnings } = parseKeySet(setOf(...odd, GOOD, nameless, { ...GOOD, alg: "RS384" }));
    assert.deepEqual(
      warnings.map((warning) => warning.replace(/(published|kept).*/, "$1")),
      [
        "SECRET PUBLISHED: the key `oct-secret`: a symmetric key: whoever can read it can sign; it is not used, and none of it is stored: tell the provider at once",
        "SECRET PUBLISHED: the key `rsa-private`: its private half is published",
        "set aside: the key `kty-unknown`: a key of type `AKP`",
        "set aside: the key `use-enc`: its `use` is `enc`, not `sig`",
        "2 keys have the id `rs256`",
        "1 usable key(s) without an id",
      ],
    );
  });

  test("nothing secret is in a verdict, a warning, an error, or the set that is kept", () => {
    for (const name of ["rsa-private", "ec-private", "okp-private", "oct-secret"]) {
      const { d, p, k } = oddKey(name);
      let told = JSON.stringify(parseKeySet(setOf(GOOD, oddKey(name))));
      assert.throws(
        () => parseKeySet(setOf(oddKey(name))),
        (error: Error) => {
          told += error.message;
          return true;
        },
      );
      for (const secret of [d, p, k]) assert.ok(secret === undefined || !told.includes(String(secret)), name);
    }
    const [, symmetric] = parseKeySet(setOf(GOOD, oddKey("oct-secret"))).keys;
    // It would help to guess the secret.
    assert.equal(symmetric?.thumbprint, undefined);
  });

  test("of members that stand there twice the last counts, as `JSON.parse` has it", () => {
    for (const [name, { body }] of Object.entries(AMBIGUOUS_SETS)) {
      const text = String(body).replace("\ufeff", "");
      const [expected] = keysOf(text);
      assert.deepEqual(
        parseKeySet(text).keys.map(({ kid }) => kid),
        [expected?.kid],
        name,
      );
    }
  });

  test("a set that is kept is judged as it was, and kept as it is", () => {
    const sets = [GOOGLE, MICROSOFT, keySet(testKey("es256"), testKey("es512"), testKey("eddsa"))];
    for (const text of [
      ...sets.map((set) => JSON.stringify(set)),
      setOf(oddKey("rsa-n-with-leading-zero")),
    ]) {
      const first = parseKeySet(text);
      const again = parseKeySet(first.keySet);
      assert.deepEqual([again.keys, again.keySet], [first.keys, first.keySet]);
    }
  });
});

describe("thumbprints", () => {
  const ALGORITHM: Readonly<Record<string, string>> = {
    "P-256": "ES256",
    "P-384": "ES384",
    "P-521": "ES512",
    Ed25519: "EdDSA",
  };

  test("of every key of every fixture that is used are those of jose, and jose takes it in", async () => {
    const all: Jwk[] = [
      ...GOOGLE.keys,
      ...MICROSOFT.keys,
      ...Object.values(ODD_KEYS),
      ...(
        ["rs256", "rs256-next", "es256", "es256-next", "es384", "es512", "eddsa", "eddsa-next"] as const
      ).map((name) => testKey(name).publicJwk),
      ...Object.values(RFC.keys),
      ...Object.values(RFC.sets).flatMap((set) => set.keys),
      ...RFC.thumbprints.map(({ key }) => key),
    ];
    let used = 0;
    for (const jwk of all) {
      const { keys, keySet } = parseKeySet(setOf(jwk, testKey("rs256", "beside").publicJwk));
      const [verdict] = keys;
      if (!verdict?.usable) continue;
      used += 1;
      // As it is kept: zeros before a number are taken away, so that one key has one thumbprint.
      const [kept] = keysOf(keySet);
      assert.equal(verdict.thumbprint, await calculateJwkThumbprint(kept ?? {}), String(jwk.kid));
      if (jwk.kid !== "rsa-n-with-leading-zero") {
        assert.equal(verdict.thumbprint, await calculateJwkThumbprint(jwk), String(jwk.kid));
      }
      await importJWK(kept ?? {}, verdict.alg ?? ALGORITHM[String(verdict.crv)] ?? "RS256");
    }
    assert.ok(used >= 18, `${used}`);
  });

  test("are those that the RFCs state", () => {
    for (const { from, key, thumbprint } of RFC.thumbprints) {
      assert.equal(parseKeySet(setOf(key, GOOD)).keys[0]?.thumbprint, thumbprint, from);
    }
  });
});
