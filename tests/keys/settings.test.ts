// Settings of keys that are refused, and those that are not.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createKeys } from "idp-janitor";
import { keysOf, watchedCache } from "./setup.ts";

describe("settings", () => {
  const URI = "https://provider.example/jwks";

  for (const [name, provider] of Object.entries({
    "neither address nor issuer": {},
    http: { jwksUri: "http://provider.example/jwks" },
    "a file": { jwksUri: "file:///etc/passwd" },
    "a user name": { jwksUri: "https://me@provider.example/jwks" },
    "a fragment": { jwksUri: "https://provider.example/jwks#here" },
    "no host": { jwksUri: "https://" },
    nonsense: { jwksUri: "jwks" },
    "an issuer of http": { issuer: "http://provider.example" },
    "an issuer of many, without an address": { issuer: "https://provider.example/{tenantid}/" },
    "an unknown algorithm": { jwksUri: URI, algorithms: ["RS257"] },
    "a symmetric algorithm": { jwksUri: URI, algorithms: ["HS256"] },
    "no algorithm": { jwksUri: URI, algorithms: [] },
    "the algorithm `none`": { jwksUri: URI, algorithms: ["none"] },
  })) {
    test(`a provider with ${name} is refused`, () => {
      assert.throws(() => keysOf(provider), { name: "JanitorError", code: "invalid_setting" });
    });
  }

  for (const [name, least, most] of [
    ["timeoutSeconds", 1, 600],
    ["retries", 0, 10],
    ["minFreshSeconds", 0, 86_400],
    ["cooldownSeconds", 1, 86_400],
    ["concurrency", 1, 100],
  ] as const) {
    test(`\`${name}\` is from ${least} to ${most}, and whole`, () => {
      for (const value of [least, most]) keysOf({ jwksUri: URI }, { [name]: value });
      for (const value of [least - 1, most + 1, least + 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
        assert.throws(
          () => keysOf({ jwksUri: URI }, { [name]: value }),
          { code: "invalid_setting" },
          `${value}`,
        );
      }
    });
  }

  test("keys are used at least as long as they are fresh", () => {
    const make = (
      maxStaleSeconds: number,
      more: { maxFreshSeconds?: number; minFreshSeconds?: number } = {},
    ) => keysOf({ jwksUri: URI }, { maxStaleSeconds, ...more });
    assert.throws(() => make(3600, { maxFreshSeconds: 3601 }), { code: "invalid_setting" });
    assert.throws(() => make(60, { minFreshSeconds: 61 }), { code: "invalid_setting" });
    make(3600, { maxFreshSeconds: 3600 });
    // What is not said has its default, or as much of it as there is room for.
    make(60);
    keysOf({ jwksUri: URI }, { maxFreshSeconds: 0 });
    // A default makes room for nothing that is given.
    assert.throws(() => keysOf({ jwksUri: URI }, { minFreshSeconds: 86_401 }), { code: "invalid_setting" });
    assert.throws(() => keysOf({ jwksUri: URI }, { maxFreshSeconds: 604_801 }), { code: "invalid_setting" });
    make(31_622_400, { maxFreshSeconds: 31_622_400, minFreshSeconds: 31_622_400 });
    for (const beyond of [0, 31_622_401]) assert.throws(() => make(beyond), { code: "invalid_setting" });
  });

  test("what does not exist is refused", () => {
    // @ts-expect-error: misspelt
    assert.throws(() => keysOf({ jwksUrl: URI }), {
      code: "unknown_setting",
      message: /did you mean `jwksUri`/,
    });
    // @ts-expect-error: misspelt
    assert.throws(() => keysOf({ jwksUri: URI }, { retry: 3 }), { code: "unknown_setting" });
  });

  test("a key of a provider is what HIdP allows", () => {
    const cache = watchedCache();
    const make = (key: string) => createKeys({ providers: { [key]: { jwksUri: URI } }, cache });
    for (const key of ["google", "a/b-c.d_e~F", "x".repeat(100)]) make(key);
    for (const key of ["", "a b", "ä", "a%20", "a:b", "x".repeat(101)]) {
      assert.throws(() => make(key), { code: "invalid_setting" }, key);
    }
  });
});
