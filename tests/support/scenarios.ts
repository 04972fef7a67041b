// What a test provider can do when it is asked, all in one place, and the faults by name.

import type { Scenario } from "./exchange.ts";
import { html, status } from "./scenarios/answers.ts";
import { cutOff, drip, gzipBomb, headersOnly, large, nested } from "./scenarios/bodies.ts";
import { alwaysNotModified } from "./scenarios/caching.ts";
import { endlessRedirects, redirect, redirectLoop } from "./scenarios/redirects.ts";
import { emptySet, NO_SETS } from "./scenarios/sets.ts";
import { hangsUp, neverAnswers } from "./scenarios/silence.ts";

export type { Answer, Asked, Exchange, Handler, Scenario } from "./exchange.ts";
export * from "./scenarios/answers.ts";
export * from "./scenarios/bodies.ts";
export * from "./scenarios/caching.ts";
export * from "./scenarios/discovery.ts";
export * from "./scenarios/redirects.ts";
export * from "./scenarios/sets.ts";
export * from "./scenarios/silence.ts";

/**
 * Answers that must never take the place of keys that were fetched before, by name. Those that `hang` end only when
 * the client loses its patience.
 */
export const FAULTS: Readonly<Record<string, { readonly scenario: Scenario; readonly hangs?: true }>> = {
  "404": { scenario: status(404) },
  "410": { scenario: status(410) },
  "429": { scenario: status(429, 120) },
  "500": { scenario: status(500) },
  "503": { scenario: status(503) },
  "503 with Retry-After": { scenario: status(503, 120) },
  "503 with Retry-After in another form": {
    scenario: status(503, new Date(Date.now() + 120_000).toUTCString()),
  },
  "503 with a Retry-After of nonsense": { scenario: status(503, "soon") },
  HTML: { scenario: html() },
  "an empty set": { scenario: emptySet() },
  ...Object.fromEntries(Object.entries(NO_SETS).map(([name, scenario]) => [name, { scenario }])),
  "64 MiB in chunks": { scenario: large() },
  "64 MiB": { scenario: large("length") },
  "a gzip bomb": { scenario: gzipBomb() },
  "deep brackets": { scenario: nested() },
  "deep brackets elsewhere": { scenario: nested("elsewhere") },
  "cut off": { scenario: cutOff() },
  "cut off in a chunk": { scenario: cutOff("chunked") },
  "cut off without a length": { scenario: cutOff("until-close") },
  "304 unasked": { scenario: alwaysNotModified() },
  "hung up": { scenario: hangsUp() },
  "a redirect loop": { scenario: redirectLoop() },
  "redirects without an end": { scenario: endlessRedirects() },
  "a redirect to http": { scenario: redirect("http://localhost:9/jwks") },
  "a redirect elsewhere": { scenario: redirect("https://elsewhere.invalid/jwks") },
  "no answer": { scenario: neverAnswers(), hangs: true },
  "no body": { scenario: headersOnly(), hangs: true },
  "a byte a second": { scenario: drip(), hangs: true },
};
