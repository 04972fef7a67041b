// How the tests of the rig ask a provider, by nothing but Node's own fetch.

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { Scenario } from "./exchange.ts";
import { type Provider, type ProviderOptions, startProvider } from "./provider.ts";

/** A provider of which the path `/it` does what a test is about. */
export async function serving(scenario: Scenario, options?: ProviderOptions): Promise<Provider> {
  const provider = await startProvider(options);
  provider.respond("/it", scenario);
  return provider;
}

/** Asks for `/it`, follows no redirect, and waits for five seconds at most, unless told otherwise. */
export function ask(provider: Provider, init: RequestInit = {}): Promise<Response> {
  return fetch(provider.jwksUri("/it"), { redirect: "manual", signal: AbortSignal.timeout(5000), ...init });
}

/** The code of what a fetch failed with, or the name of the error where that has none. */
export async function failure(fetched: Promise<unknown>): Promise<string> {
  const error = await fetched.then(
    () => assert.fail("this should have failed"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Error, String(error));
  const { cause } = error;
  return typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : error.name;
}

/** How long a machine that is busy may take for what comes in a moment; whoever waits for longer waits for nothing. */
export const HANGING_MS = 20_000;

/** Waits for what a provider sees a moment after its client does; twenty seconds at most. */
export async function eventually(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + HANGING_MS;
  while (!holds()) {
    assert.ok(performance.now() < deadline, what);
    await sleep(5);
  }
}
