// Key sets that are empty, wrong, ambiguous or dangerous.

import type { Answer } from "../exchange.ts";
import { type Jwk, oddKey } from "../fixtures.ts";
import { type TestKey, testKey } from "../keys.ts";
import { json, text } from "./answers.ts";

/** A set of these keys, whatever they are. */
export function set(...keys: readonly (Jwk | TestKey)[]): Answer {
  return json({ keys: keys.map((key) => (isTestKey(key) ? key.publicJwk : key)) });
}

/** A set without a key. */
export function emptySet(): Answer {
  return set();
}

// Another key than a provider begins with, so that a test sees where it was believed.
const NEXT = testKey("rs256-next").publicJwk;

/** Answers that are no set, by what is wrong with them. */
export const NO_SETS = {
  "no keys": json({}),
  "keys of another name": json({ Keys: [NEXT] }),
  "keys is an object": json({ keys: { next: NEXT } }),
  "keys is null": json({ keys: null }),
  "a list": json([NEXT]),
  "a bare key": json(NEXT),
  "a string": json("keys"),
  null: json(null),
  "no key but a number": json({ keys: [1] }),
  nothing: text(""),
  "two documents": text('{"keys":[]}{"keys":[]}'),
  "not UTF-8": { headers: { "content-type": "application/json" }, body: Uint8Array.of(0x7b, 0xff, 0x7d) },
} as const satisfies Record<string, Answer>;

/** Sets that one reader takes and another does not. */
export const AMBIGUOUS_SETS = {
  "a byte order mark": text(`\ufeff${JSON.stringify({ keys: [NEXT] })}`),
  "keys twice": text(`{"keys":[],"keys":[${JSON.stringify(NEXT)}]}`),
  "a member twice": text(`{"keys":[${JSON.stringify(NEXT).replace("{", '{"kid":"first",')}]}`),
} as const satisfies Record<string, Answer>;

/** A good key next to an odd one of `tests/fixtures/odd-keys.json`. */
export function goodAndOdd(name: string, good: TestKey = testKey("rs256")): Answer {
  return set(good, oddKey(name));
}

/** An odd key alone. */
export function onlyOdd(name: string): Answer {
  return set(oddKey(name));
}

/** The set of a provider that publishes the private halves of its keys. */
export function leakedSet(...keys: readonly TestKey[]): Answer {
  return set(...keys.map((key) => key.privateJwk));
}

/** Two keys under one id. */
export function duplicateIds(kid = "twice"): Answer {
  return set(testKey("rs256", kid), testKey("rs256-next", kid));
}

/** Two keys of different types under one id, which is allowed. */
export function sharedId(kid = "shared"): Answer {
  return set(testKey("rs256", kid), testKey("es256", kid));
}

/** One key, twice. */
export function sameKeyTwice(key: TestKey = testKey("rs256")): Answer {
  return set(key, key);
}

/** A key without the members given; by default without an id. */
export function keyWithout(key: TestKey = testKey("rs256"), members: readonly string[] = ["kid"]): Answer {
  const left = Object.entries(key.publicJwk).filter(([member]) => !members.includes(member));
  return set(Object.fromEntries(left));
}

/** More keys than anyone has. */
export function manyKeys(count = 10_000, key: TestKey = testKey("es256")): Answer {
  return set(...Array.from({ length: count }, (_, index) => ({ ...key.publicJwk, kid: `key-${index}` })));
}

function isTestKey(key: Jwk | TestKey): key is TestKey {
  return "publicJwk" in key;
}
