// Claims of tokens whose signatures hold: we and jose agree on each, but for what is listed here.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import type { ErrorCode, IdTokenOptions, Keys } from "idp-janitor";
import { keysOf, refusal } from "./setup.ts";
import {
  AUDIENCE,
  CLAIMS,
  encoded,
  ISSUER,
  joses,
  knowing,
  NOW,
  ours,
  SET,
  signature,
  tokenOf,
} from "./tokens.ts";

let keys: Keys;
before(async () => {
  keys = await knowing(SET);
});

/** Claims, what is to come of them, what is asked for, and whether jose takes another view. */
type Case = readonly [
  claims: object | string,
  expected: "accepted" | ErrorCode,
  options?: Partial<IdTokenOptions>,
  jose?: "accepts" | "refuses",
];

function hold(cases: Readonly<Record<string, Case>>): void {
  for (const [name, [claims, expected, options = {}, jose]] of Object.entries(cases)) {
    const view = jose === undefined ? "" : `; jose ${jose} it`;
    test(`${name}: ${expected}${view}`, async () => {
      const token = tokenOf("RS256", {}, claims);
      const [our, other] = await Promise.all([ours(keys, token, options), joses(SET, token, options)]);
      assert.equal("code" in our ? our.code : "accepted", expected);
      const accepts = jose === undefined ? expected === "accepted" : jose === "accepts";
      assert.equal("claims" in other, accepts, JSON.stringify(other));
      if ("claims" in our && "claims" in other) assert.deepEqual(our.claims, other.claims);
    });
  }
}

const without = (name: keyof typeof CLAIMS) => ({ [name]: undefined });
const raw = (member: string) => JSON.stringify(CLAIMS).replace("{", `{${member},`);
const last = (member: string) => JSON.stringify(CLAIMS).replace(/}$/, `,${member}}`);

describe("exp", () => {
  hold({
    "in the future": [{ exp: NOW + 1 }, "accepted"],
    now: [{ exp: NOW }, "accepted"],
    "within the minute": [{ exp: NOW - 59 }, "accepted"],
    "a fraction within the minute": [{ exp: NOW - 59.999 }, "accepted"],
    "a minute ago, to the second": [{ exp: NOW - 60 }, "token_expired"],
    "a fraction more": [{ exp: NOW - 60.001 }, "token_expired"],
    "long ago": [{ exp: 0 }, "token_expired"],
    "before there was time": [{ exp: -1e15 }, "token_expired"],
    "very far in the future": [{ exp: 1e15 }, "accepted"],
    "beyond all integers": [raw('"exp":1e300').replace(`,"exp":${CLAIMS.exp}`, ""), "accepted"],
    missing: [without("exp"), "token_claims"],
    null: [{ exp: null }, "token_claims"],
    text: [{ exp: String(NOW + 600) }, "token_claims"],
    "a list": [{ exp: [NOW + 600] }, "token_claims"],
    true: [{ exp: true }, "token_claims"],
    // What no reader of JSON agrees on is nothing that we guess at.
    "more than a number can be": [last('"exp":1e999'), "token_malformed", {}, "accepts"],
    "of another time": [{ exp: NOW - 1000 }, "accepted", { now: new Date((NOW - 2000) * 1000) }],
    "by a clock that text tells": [{}, "token_expired", { now: "2026-06-01T01:00:00Z" }],
  });

  test("is held against the clock to the millisecond, which jose cuts off", async () => {
    const token = tokenOf("RS256", {}, { exp: NOW - 60 });
    assert.ok("claims" in (await ours(keys, token, { now: new Date(NOW * 1000 - 1) })));
    assert.deepEqual(await ours(keys, token, { now: new Date(NOW * 1000) }), { code: "token_expired" });
    const later = { now: new Date(NOW * 1000 + 999) };
    assert.deepEqual(await ours(keys, tokenOf("RS256", {}, { exp: NOW - 59.5 }), later), {
      code: "token_expired",
    });
  });

  test("between the bounds of 64 and of 63 bits is refused, and accepted beyond: jose accepts both", async () => {
    for (const [exp, expected] of [
      ["9223372036854775807", "accepted"],
      ["9223372036854775808", "token_claims"],
      ["18446744073709551615", "token_claims"],
      ["18446744073709551616", "accepted"],
    ] as const) {
      const token = tokenOf("RS256", {}, JSON.stringify(CLAIMS).replace(String(CLAIMS.exp), exp));
      const our = await ours(keys, token);
      assert.equal("code" in our ? our.code : "accepted", expected, exp);
      assert.ok("claims" in (await joses(SET, token)));
    }
  });
});

describe("nbf and iat", () => {
  hold({
    "nbf in the past": [{ nbf: NOW - 1 }, "accepted"],
    "nbf now": [{ nbf: NOW }, "accepted"],
    // HIdP gives it no leeway; jose has one for all times.
    "nbf in a second": [{ nbf: NOW + 1 }, "token_not_yet_valid", {}, "accepts"],
    "nbf in a fraction": [{ nbf: NOW + 0.001 }, "token_not_yet_valid", {}, "accepts"],
    "nbf in a minute": [{ nbf: NOW + 60 }, "token_not_yet_valid", {}, "accepts"],
    "nbf in more than a minute": [{ nbf: NOW + 61 }, "token_not_yet_valid"],
    "nbf of text": [{ nbf: String(NOW - 1) }, "token_claims"],
    "nbf of a list": [{ nbf: [] }, "token_claims"],
    // Null is as good as absent.
    "nbf of null": [{ nbf: null }, "accepted", {}, "refuses"],
    "iat in the future": [{ iat: NOW + 3600 }, "accepted"],
    "iat of long ago": [{ iat: 0 }, "accepted"],
    "iat of a fraction": [{ iat: NOW - 0.5 }, "accepted"],
    "no iat": [without("iat"), "token_claims"],
    "iat of null": [{ iat: null }, "token_claims"],
    "iat of text": [{ iat: "now" }, "token_claims"],
  });
});

describe("iss", () => {
  hold({
    another: [{ iss: "https://evil.example" }, "token_claims"],
    "with a slash more": [{ iss: `${ISSUER}/` }, "token_claims"],
    "in capitals": [{ iss: ISSUER.toUpperCase() }, "token_claims"],
    "a beginning of it": [{ iss: ISSUER.slice(0, -1) }, "token_claims"],
    "with more behind": [{ iss: `${ISSUER}.evil.example` }, "token_claims"],
    "with a NUL": [{ iss: `${ISSUER}\0` }, "token_claims"],
    empty: [{ iss: "" }, "token_claims"],
    missing: [without("iss"), "token_claims"],
    null: [{ iss: null }, "token_claims"],
    "a list": [{ iss: [ISSUER] }, "token_claims"],
    "an object": [{ iss: { toString: ISSUER } }, "token_claims"],
    "twice, the last right": [raw('"iss":"https://evil.example"'), "accepted"],
    "twice, the last wrong": [last('"iss":"https://evil.example"'), "token_claims"],
    "in escapes": [raw('"x":1').replace('"iss":"https', '"\\u0069ss":"\\u0068ttps'), "accepted"],
    "of a prototype": [`{"__proto__":${JSON.stringify(CLAIMS)}}`, "token_claims"],
    "with a tenant that has no place in it": [{ tid: "evil" }, "accepted"],
  });
});

describe("aud", () => {
  hold({
    "a list with it": [{ aud: ["other", AUDIENCE] }, "accepted"],
    "a list of it": [{ aud: [AUDIENCE] }, "accepted"],
    another: [{ aud: "other" }, "token_claims"],
    "a list without it": [{ aud: ["other"] }, "token_claims"],
    "an empty list": [{ aud: [] }, "token_claims"],
    empty: [{ aud: "" }, "token_claims"],
    missing: [without("aud"), "token_claims"],
    null: [{ aud: null }, "token_claims"],
    "a number": [{ aud: 5 }, "token_claims"],
    "an object": [{ aud: { [AUDIENCE]: AUDIENCE } }, "token_claims"],
    "a list in a list": [{ aud: [[AUDIENCE]] }, "token_claims"],
    "a list with what is none": [{ aud: [null, 5, AUDIENCE] }, "accepted"],
    "with more behind": [{ aud: `${AUDIENCE}0` }, "token_claims"],
    "in capitals": [{ aud: AUDIENCE.toUpperCase() }, "token_claims"],
    "one of two that we are": [{}, "accepted", { audience: ["client-2", AUDIENCE] }],
    "none of two that we are": [{}, "token_claims", { audience: ["client-2", "client-3"] }],
    "with another party that it is for": [{ azp: "other" }, "accepted"],
  });

  for (const audience of ["", []]) {
    test(`must be asked for: ${JSON.stringify(audience)} is refused`, async () => {
      const { code } = await refusal(keys.verifyIdToken(tokenOf("RS256"), { provider: "acme", audience }));
      assert.equal(code, "invalid_setting");
    });
  }
});

describe("sub", () => {
  hold({
    missing: [without("sub"), "token_claims"],
    // OpenID Connect Core 1.0, section 2: text, at most 255 characters, never empty. jose does not look.
    empty: [{ sub: "" }, "token_claims", {}, "accepts"],
    "a number": [{ sub: 5 }, "token_claims", {}, "accepts"],
    null: [{ sub: null }, "token_claims", {}, "accepts"],
    "a list": [{ sub: ["1"] }, "token_claims", {}, "accepts"],
    "of other letters": [{ sub: "Zoë \u{1f511}" }, "accepted"],
  });
});

describe("nonce", () => {
  hold({
    "sent, and there": [{ nonce: "n-1" }, "accepted", { nonce: "n-1" }],
    "sent, and another": [{ nonce: "n-2" }, "token_claims", { nonce: "n-1" }],
    "sent, and missing": [{}, "token_claims", { nonce: "n-1" }],
    "sent, and empty": [{ nonce: "" }, "token_claims", { nonce: "n-1" }],
    "sent, and in a list": [{ nonce: ["n-1"] }, "token_claims", { nonce: "n-1" }],
    "not sent, and there": [{ nonce: "n-1" }, "token_claims"],
    "not sent, and empty": [{ nonce: "" }, "accepted"],
    "not sent, and a number": [{ nonce: 1 }, "token_claims"],
    "not sent, and null": [{ nonce: null }, "accepted"],
  });
});

describe("claims as a whole", () => {
  hold({
    "a list": ["[]", "token_malformed"],
    text: ['"claims"', "token_malformed"],
    null: ["null", "token_malformed"],
    "no JSON": [`${JSON.stringify(CLAIMS)},`, "token_malformed"],
    nothing: ["", "token_malformed"],
    "white space around": [` \n${JSON.stringify(CLAIMS)}\t`, "accepted"],
    "whatever else": [{ a: { b: [1, 2.5, null, true, "\u2028"] }, __proto__: null }, "accepted"],
    "a member named as a prototype is": [last('"__proto__":{"admin":true}'), "accepted"],
    "a byte order mark": [`\ufeff${JSON.stringify(CLAIMS)}`, "token_malformed", {}, "accepts"],
    "a lone surrogate": [last('"x":"\\udc00"'), "token_malformed", {}, "accepts"],
    "17 levels": [last(`"x":${"[".repeat(16)}${"]".repeat(16)}`), "token_malformed", {}, "accepts"],
    "16 levels": [last(`"x":${"[".repeat(15)}${"]".repeat(15)}`), "accepted"],
  });

  test("that are no UTF-8: token_malformed, and nothing to jose", async () => {
    const header = encoded(JSON.stringify({ alg: "RS256", kid: "rs256" }));
    const claims = encoded(Buffer.from(JSON.stringify({ ...CLAIMS, x: "?" }).replace("?", "\xff"), "latin1"));
    const token = `${header}.${claims}.${encoded(signature("RS256", `${header}.${claims}`))}`;
    assert.deepEqual(await ours(keys, token), { code: "token_malformed" });
    assert.ok("code" in (await joses(SET, token)));
  });

  test("are not looked at before the signature holds", async () => {
    const [header, , made] = tokenOf("RS256").split(".");
    for (const claims of ["{}", "no JSON", JSON.stringify({ ...CLAIMS, exp: 0 })]) {
      assert.deepEqual(await ours(keys, `${header}.${encoded(claims)}.${made}`), { code: "token_signature" });
    }
  });

  test("are the caller's own: what it does with them changes nothing", async () => {
    const token = tokenOf("RS256");
    const first = await keys.verifyIdToken(token, { provider: "acme", audience: AUDIENCE });
    Reflect.set(first, "sub", "admin");
    assert.equal((await keys.verifyIdToken(token, { provider: "acme", audience: AUDIENCE })).sub, CLAIMS.sub);
  });
});

describe("a tenant's issuer, as Microsoft has it", () => {
  const TEMPLATE = "https://login.example/{tenantid}/v2.0";
  const TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad";
  const OF_TENANT = TEMPLATE.replace("{tenantid}", TENANT);

  for (const [name, claims, expected] of [
    ["of the tenant that the token names", { iss: OF_TENANT, tid: TENANT }, "accepted"],
    ["of another tenant", { iss: OF_TENANT, tid: "other" }, "token_claims"],
    ["of a tenant, and the token names none", { iss: OF_TENANT }, "token_claims"],
    ["of a tenant that is empty", { iss: TEMPLATE.replace("{tenantid}", ""), tid: "" }, "token_claims"],
    ["of a tenant that is a number", { iss: TEMPLATE.replace("{tenantid}", "5"), tid: 5 }, "token_claims"],
    ["as it is configured, and the token names none", { iss: TEMPLATE }, "accepted"],
    ["as it is configured, and the token names one", { iss: TEMPLATE, tid: TENANT }, "token_claims"],
    ["of somebody else", { iss: `https://evil.example/${TENANT}/v2.0`, tid: TENANT }, "token_claims"],
    ["with a tenant that is a path", { iss: "https://login.example/a/../b/v2.0", tid: "a/../b" }, "accepted"],
  ] as const) {
    test(`${name}: ${expected}`, async () => {
      const known = await knowing(SET, TEMPLATE);
      const our = await ours(known, tokenOf("RS256", {}, claims));
      assert.equal("code" in our ? our.code : "accepted", expected);
    });
  }
});

describe("what is asked for", () => {
  for (const odd of [undefined, null, 5, true, {}, { length: 1e9 }]) {
    // As JSON has it, which is where tokens come from.
    const as = <T>(value: unknown) => value as T;

    test(`${JSON.stringify(odd)} in place of a token, an audience or a nonce is refused by name`, async () => {
      const [provider, token] = ["acme", tokenOf("RS256")];
      const options = { provider, audience: AUDIENCE };
      assert.equal((await refusal(keys.verifyIdToken(as(odd), options))).code, "token_malformed");
      const listed = keys.verifyIdToken(token, { provider, audience: as([odd]) });
      assert.equal((await refusal(listed)).code, "invalid_setting");
      if (odd === undefined) return;
      const sent = keys.verifyIdToken(token, { ...options, nonce: as(odd) });
      assert.equal((await refusal(sent)).code, "invalid_setting");
    });
  }

  test("an instant that is none is refused, and nothing is accepted by it", async () => {
    const token = tokenOf("RS256", {}, { exp: 0 });
    for (const now of ["", "soon", "2026-13-01T00:00:00Z", new Date(Number.NaN)]) {
      const { code } = await refusal(
        keys.verifyIdToken(token, { provider: "acme", audience: AUDIENCE, now }),
      );
      assert.equal(code, "invalid_instant", String(now));
    }
  });

  test("a provider without an issuer verifies no tokens", async () => {
    const setup = keysOf({ jwksUri: `${ISSUER}/jwks` }, { fetch: async () => Response.json(SET) });
    const work = setup.keys.verifyIdToken(tokenOf("RS256"), { provider: "acme", audience: AUDIENCE });
    const { code, message } = await refusal(work);
    assert.deepEqual([code, /has no `issuer`/.test(message)], ["invalid_setting", true]);
  });

  test("a provider that is not there", async () => {
    const work = keys.verifyIdToken(tokenOf("RS256"), { provider: "other", audience: AUDIENCE });
    assert.equal((await refusal(work)).code, "unknown_provider");
  });
});
