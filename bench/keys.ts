// `npm run bench:keys`: judging a key set and verifying tokens, ours and jose's in turns, as ratios of medians.

import { parseArgs } from "node:util";
import { createKeys, parseKeySet } from "idp-janitor";
import { memoryCache } from "idp-janitor/caches/memory";
import { calculateJwkThumbprint, createLocalJWKSet, importJWK, type JSONWebKeySet, jwtVerify } from "jose";
import { GOOGLE } from "../tests/support/fixtures.ts";
import { keySet, signToken, testKey } from "../tests/support/keys.ts";

const { values: flags } = parseArgs({
  options: {
    rounds: { type: "string", default: "15" },
    calls: { type: "string", default: "1000" },
  },
});
const rounds = Number(flags.rounds);
const calls = Number(flags.calls);

const GOOGLE_TEXT = JSON.stringify(GOOGLE);
const ISSUER = "https://idp.example";
const AUDIENCE = "client";
const SIGNERS = [testKey("rs256"), testKey("es256"), testKey("eddsa")];

const rows = [
  ["what", "ours, us", "jose, us", "ours of jose"],
  ["---", "--:", "--:", "--:"],
];
await compare("judge a Google-sized set, with thumbprints", judgeOurs, judgeJose);
const verifiers = await makeVerifiers();
for (const key of SIGNERS) {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: "248289761001",
    iat: now,
    exp: now + 3600,
    email: "jane@example.org",
  };
  const token = await signToken(key, claims);
  await compare(
    `verify ${key.alg}`,
    () => verifiers.ours(token),
    () => verifiers.jose(token, key.alg),
  );
}
process.stdout.write(`${rows.map((row) => `| ${row.join(" | ")} |`).join("\n")}\n`);

function judgeOurs(): unknown {
  return parseKeySet(GOOGLE_TEXT).keySet;
}

/** What jose does of the same: it takes in each key, and computes its thumbprint. */
async function judgeJose(): Promise<unknown> {
  const { keys }: JSONWebKeySet = JSON.parse(GOOGLE_TEXT);
  return Promise.all(keys.map((key) => Promise.all([importJWK(key), calculateJwkThumbprint(key)])));
}

async function makeVerifiers() {
  const set = keySet(...SIGNERS);
  const keys = createKeys({
    cache: memoryCache(),
    providers: {
      idp: { jwksUri: `${ISSUER}/jwks`, issuer: ISSUER, algorithms: SIGNERS.map(({ alg }) => alg) },
    },
    fetch: async () => Response.json(set),
  });
  await keys.refresh();
  const jwks = createLocalJWKSet(set as JSONWebKeySet);
  const checks = { issuer: ISSUER, audience: AUDIENCE, requiredClaims: ["sub", "iat"], clockTolerance: 60 };
  return {
    ours: (token: string) => keys.verifyIdToken(token, { provider: "idp", audience: AUDIENCE }),
    jose: (token: string, alg: string) => jwtVerify(token, jwks, { ...checks, algorithms: [alg] }),
  };
}

/** In turns, so that whatever else the machine does meets both alike. */
async function compare(what: string, ours: () => unknown, jose: () => unknown): Promise<void> {
  const times: { ours: number[]; jose: number[] } = { ours: [], jose: [] };
  for (let round = -1; round < rounds; round += 1) {
    const [our, their] = [await microseconds(ours), await microseconds(jose)];
    // The first round is for the compiler.
    if (round < 0) continue;
    times.ours.push(our);
    times.jose.push(their);
  }
  const [our, their] = [median(times.ours), median(times.jose)];
  rows.push([what, our.toFixed(0), their.toFixed(0), `${(our / their).toFixed(2)} x`]);
}

async function microseconds(work: () => unknown): Promise<number> {
  const began = performance.now();
  for (let call = 0; call < calls; call += 1) await work();
  return ((performance.now() - began) / calls) * 1000;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
