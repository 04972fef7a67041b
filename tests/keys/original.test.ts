// The original as the judge: HIdP and we accept the same RS256 tokens, but for what is listed here.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { KeySet } from "../support/fixtures.ts";
import { testKey, withoutSecrets } from "../support/keys.ts";
import { type HidpJudgement, hidps } from "./hidp-tokens.ts";
import { random } from "./random.ts";
import {
  AUDIENCE,
  CLAIMS,
  encoded,
  ISSUER,
  type Judgement,
  knowing,
  NOW,
  ours,
  published,
  signature,
  tokenOf,
} from "./tokens.ts";

/** A token and what is to come of it: of both, or of us and then of HIdP. */
type Case = readonly [token: string, expected: Verdict | readonly [ours: Verdict, hidps: Verdict]];
/** `fails`: an exception that HIdP does not mean; nobody is let in. */
type Verdict = "accepted" | "refused" | "fails";

const [FIRST, NEXT] = [testKey("rs256"), testKey("rs256-next")];
const SET = published(FIRST, NEXT, testKey("es256"));

const of = (claims: object | string, header: object | string = {}) => tokenOf("RS256", header, claims);
const raw = (member: string) => JSON.stringify(CLAIMS).replace(/}$/, `,${member}}`);
const good = of({});
const [header = "", claims = "", made = ""] = good.split(".");
const pssSigned = tokenOf("PS256");

const CASES: Readonly<Record<string, Case>> = {
  "a good one": [good, "accepted"],
  "by the second key": [tokenOf("RS256", { kid: NEXT.kid }, {}, NEXT.privateJwk), "accepted"],
  "without a key id": [of({}, { kid: undefined }), "accepted"],
  "without a key id, by the second key": [
    tokenOf("RS256", { kid: undefined }, {}, NEXT.privateJwk),
    "accepted",
  ],
  "an unknown key id": [of({}, { kid: "unknown" }), "refused"],
  "another key under the right id": [tokenOf("RS256", {}, {}, NEXT.privateJwk), "refused"],
  "a key that nobody has": [
    tokenOf("RS256", { kid: undefined }, {}, testKey("google-1").privateJwk),
    "refused",
  ],
  "an embedded key": [
    tokenOf(
      "RS256",
      { kid: undefined, jwk: withoutSecrets(testKey("google-1").privateJwk) },
      {},
      testKey("google-1").privateJwk,
    ),
    "refused",
  ],
  "the addresses of other keys": [
    of({}, { jku: "https://evil.example", x5u: "https://evil.example" }),
    "accepted",
  ],
  PS256: [pssSigned, "refused"],
  RS384: [tokenOf("RS384"), "refused"],
  ES256: [tokenOf("ES256"), "refused"],
  none: [`${encoded('{"alg":"none"}')}.${claims}.`, "refused"],
  "none, with a signature": [`${encoded('{"alg":"none","kid":"rs256"}')}.${claims}.${made}`, "refused"],
  "no signature": [`${header}.${claims}.`, "refused"],
  "other claims": [`${header}.${encoded(JSON.stringify({ ...CLAIMS, sub: "2" }))}.${made}`, "refused"],
  "four parts": [`${good}.x`, "refused"],
  "two parts": [`${header}.${claims}`, "refused"],
  nothing: ["", "refused"],
  // An encrypted one, to HIdP's library.
  "five parts": [`${header}....`, ["refused", "fails"]],

  "exp in the future": [of({ exp: NOW + 1 }), "accepted"],
  "exp within the minute": [of({ exp: NOW - 59 }), "accepted"],
  // RFC 7519, section 4.1.4: on its end it is over. HIdP's library counts this second in, jose does not.
  "exp a minute ago, to the second": [of({ exp: NOW - 60 }), ["refused", "accepted"]],
  "exp a minute and a second ago": [of({ exp: NOW - 61 }), "refused"],
  "exp of long ago": [of({ exp: 0 }), "refused"],
  "exp missing": [of({ exp: undefined }), "refused"],
  "exp of null": [of({ exp: null }), ["refused", "fails"]],
  "exp of text": [of({ exp: String(NOW + 600) }), ["refused", "fails"]],
  "exp of a fraction": [of({ exp: NOW + 0.5 }), "accepted"],
  "exp of infinity, as Python writes it": [
    of(JSON.stringify(CLAIMS).replace(/"exp":\d+/, '"exp":Infinity')),
    ["refused", "fails"],
  ],
  "exp of more than a number can be": [
    of(JSON.stringify(CLAIMS).replace(/"exp":\d+/, '"exp":1e999')),
    ["refused", "fails"],
  ],
  "nbf in the past": [of({ nbf: NOW - 1 }), "accepted"],
  "nbf now": [of({ nbf: NOW }), "accepted"],
  "nbf in a second": [of({ nbf: NOW + 1 }), "refused"],
  "nbf of text": [of({ nbf: "now" }), "refused"],
  // Null is as good as absent to us, and compared with a time by HIdP.
  "nbf of null": [of({ nbf: null }), ["accepted", "fails"]],
  "iat missing": [of({ iat: undefined }), "refused"],
  "iat in the future": [of({ iat: NOW + 3600 }), "accepted"],
  // To HIdP's library what is null is there.
  "iat of null": [of({ iat: null }), ["refused", "accepted"]],
  "iat of text": [of({ iat: "now" }), "refused"],
  "iat of digits": [of({ iat: "5" }), ["refused", "accepted"]],

  "sub missing": [of({ sub: undefined }), "refused"],
  // OpenID Connect Core 1.0, section 2: never empty. An account of nobody would be everybody's.
  "sub empty": [of({ sub: "" }), ["refused", "accepted"]],
  "sub of null": [of({ sub: null }), ["refused", "accepted"]],
  "sub of a number": [of({ sub: 5 }), "refused"],

  "aud of another": [of({ aud: "other" }), "refused"],
  "aud missing": [of({ aud: undefined }), "refused"],
  "aud of null": [of({ aud: null }), "refused"],
  "aud of a list with it": [of({ aud: ["other", AUDIENCE] }), "accepted"],
  "aud of a list without it": [of({ aud: ["other"] }), "refused"],
  "aud of an empty list": [of({ aud: [] }), "refused"],
  "aud with more behind": [of({ aud: `${AUDIENCE}0` }), "refused"],
  "aud of a list with a number in it": [of({ aud: [5, AUDIENCE] }), ["accepted", "refused"]],

  "iss of another": [of({ iss: "https://evil.example" }), "refused"],
  "iss with a slash more": [of({ iss: `${ISSUER}/` }), "refused"],
  "iss missing": [of({ iss: undefined }), "refused"],
  "iss of null": [of({ iss: null }), "refused"],
  "iss of a list": [of({ iss: [ISSUER] }), "refused"],
  "iss twice, the last right": [
    of(`{"iss":"https://evil.example",${JSON.stringify(CLAIMS).slice(1)}`),
    "accepted",
  ],
  "iss twice, the last wrong": [of(raw('"iss":"https://evil.example"')), "refused"],
  "a tenant that has no place in the issuer": [of({ tid: "other" }), "accepted"],

  "a nonce that nobody sent": [of({ nonce: "n-1" }), "refused"],
  "an empty nonce": [of({ nonce: "" }), "accepted"],
  "a nonce of null": [of({ nonce: null }), "accepted"],
  // What Python takes for false is as good as absent to HIdP.
  "a nonce of zero": [of({ nonce: 0 }), ["refused", "accepted"]],
  "a nonce of an empty list": [of({ nonce: [] }), ["refused", "accepted"]],

  "claims that are a list": [of("[]"), "refused"],
  "claims that are no JSON": [of("claims"), "refused"],
  "a type of claims that HIdP's library knows": [of({ jti: 5 }), ["accepted", "refused"]],
  "other letters": [of({ name: "Zoë \u{1f511}" }), "accepted"],

  "an extension that must be understood": [of({}, { crit: ["x"], x: 1 }), "refused"],
  // RFC 7797 has no place in an ID token (RFC 7515, section 4.1.11: understood, or refused).
  "b64 that must be understood": [of({}, { crit: ["b64"], b64: true }), ["refused", "accepted"]],
  "an unknown member": [of({}, { more: [1] }), "accepted"],
  "a key id that is a number": [of({}, { kid: 5 }), "refused"],
  "a key id of null": [of({}, { kid: null }), ["accepted", "refused"]],
  // Python drops what is none of base64, and HIdP's library encodes anew what it has read.
  "padding of the header": [`${header}=.${claims}.${made}`, ["refused", "accepted"]],
  "white space in the claims": [`${header}.${claims.slice(0, 8)} ${claims.slice(8)}.${made}`, "refused"],
  "four signs of nothing in the claims": [
    `${header}.${claims.slice(0, 8)}!!!!${claims.slice(8)}.${made}`,
    ["refused", "accepted"],
  ],
  "four signs of nothing in the signature": [
    `${header}.${claims}.${made}....`.replace("....", "!!!!"),
    ["refused", "accepted"],
  ],
};

const verdictOf = (judged: Judgement | HidpJudgement): Verdict => {
  if ("claims" in judged) return "accepted";
  return "error" in judged && judged.error !== "OIDCError" ? "fails" : "refused";
};

/** Ours and HIdP's judgements of tokens, by the same set. */
async function both(tokens: readonly string[], set: KeySet = SET) {
  const options = { issuer: ISSUER, audience: AUDIENCE, jwks: JSON.stringify(set), now: NOW };
  const [keys, theirs] = await Promise.all([knowing(set, ISSUER, ["RS256"]), hidps(tokens, options)]);
  return Promise.all(
    tokens.map(async (token, at) => ({ token, our: await ours(keys, token), their: theirs[at] })),
  );
}

describe("ID tokens in HIdP and here", { concurrency: true }, () => {
  test("the table: the same, or as it says", async () => {
    const entries = Object.entries(CASES);
    const judged = await both(entries.map(([, [token]]) => token));
    const found = judged.map(({ our, their }, at) => {
      assert.ok(their);
      if ("claims" in our && "claims" in their) assert.deepEqual(our.claims, their.claims);
      return [entries[at]?.[0], verdictOf(our), verdictOf(their)];
    });
    const expected = entries.map(([name, [, verdict]]) =>
      typeof verdict === "string" ? [name, verdict, verdict] : [name, ...verdict],
    );
    assert.deepEqual(found, expected);
  });

  test("whatever is turned in a token: what we accept HIdP accepts, with the same claims", async () => {
    const next = random(20_261_124);
    const tokens = Array.from({ length: 300 }, () => {
      const at = next(good.length);
      const character = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[next(64)];
      return good.slice(0, at) + character + good.slice(at + 1);
    });
    let accepted = 0;
    for (const { token, our, their } of await both(tokens)) {
      assert.ok(their);
      assert.equal(verdictOf(our), verdictOf(their), token);
      if (!("claims" in our && "claims" in their)) continue;
      assert.deepEqual(our.claims, their.claims, token);
      accepted += 1;
    }
    assert.ok(accepted < 20, `${accepted}`);
  });

  test("keys that are weak, published with their secrets, or for another use: HIdP would use most of them", async () => {
    const [weak, { publicJwk, privateJwk }] = [testKey("rsa-1024"), FIRST];
    const cases = [
      [weak.publicJwk, weak, "refused", "accepted"],
      [{ ...publicJwk, kid: "enc", use: "enc" }, FIRST, "refused", "refused"],
      [{ ...publicJwk, kid: "alg", alg: "RS512" }, FIRST, "refused", "accepted"],
      [{ ...privateJwk, kid: "private" }, FIRST, "refused", "accepted"],
      [{ ...publicJwk, kid: "usual" }, FIRST, "accepted", "accepted"],
    ] as const;
    const tokens = cases.map(([{ kid }, signer]) => tokenOf("RS256", { kid }, {}, signer.privateJwk));
    const judged = await both(tokens, { keys: cases.map(([jwk]) => jwk) });
    const found = judged.map(({ our, their }) => [verdictOf(our), verdictOf(their ?? assert.fail())]);
    assert.deepEqual(
      found,
      cases.map(([, , our, their]) => [our, their]),
    );
  });

  test("a tenant's issuer, by HIdP's own client for Microsoft", async () => {
    const issuer = "https://login.microsoftonline.com/{tenantid}/v2.0";
    const at = (tenant: string) => issuer.replace("{tenantid}", tenant);
    const cases = [
      [{ iss: at("t-1"), tid: "t-1" }, "accepted", "accepted"],
      [{ iss: at("t-1"), tid: "t-2" }, "refused", "refused"],
      [{ iss: at("t-1") }, "refused", "refused"],
      [{ iss: issuer }, "accepted", "accepted"],
      [{ iss: issuer, tid: "" }, "accepted", "accepted"],
      [{ iss: issuer, tid: "t-1" }, "refused", "refused"],
      [{ iss: at("{tenantid}"), tid: "{tenantid}" }, "accepted", "accepted"],
      // Python writes a number where it is asked for text.
      [{ iss: at("5"), tid: 5 }, "refused", "accepted"],
    ] as const;
    const tokens = cases.map(([claims]) => of(claims));
    const keys = await knowing(SET, issuer, ["RS256"]);
    const jwks = JSON.stringify(SET);
    const theirs = await hidps(tokens, { issuer, audience: AUDIENCE, jwks, now: NOW, microsoft: true });
    for (const [index, [claims, our, their]] of cases.entries()) {
      const found = theirs[index];
      assert.ok(found);
      assert.equal(verdictOf(await ours(keys, tokens[index] ?? "")), our, JSON.stringify(claims));
      assert.equal(verdictOf(found), their, JSON.stringify(claims));
    }
  });

  test("the tokens are signed as HIdP's library has it: by nothing but the bytes of header and claims", () => {
    assert.equal(encoded(signature("RS256", `${header}.${claims}`)), made);
  });
});
