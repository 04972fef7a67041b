// Signatures: we and jose accept the same and refuse the same, but for what is listed here.

import { describe } from "node:test";
import { testKey, withoutSecrets } from "../support/keys.ts";
import { type Case, hold, parts, resigned } from "./judged.ts";
import { ALGS, encoded, macOf, SIGNERS, tokenOf } from "./tokens.ts";

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
