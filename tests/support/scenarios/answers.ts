// Answers that are data, and ways to put scenarios together.

import { setTimeout as sleep } from "node:timers/promises";
import { type Answer, type Handler, perform, type Scenario } from "../exchange.ts";

/** JSON with 200, or with another status or other headers. */
export function json(value: unknown, answer: Answer = {}): Answer {
  return {
    ...answer,
    headers: { "content-type": "application/json", ...answer.headers },
    body: JSON.stringify(value),
  };
}

/** A status with a body that is no key set. `retryAfter` is seconds or an HTTP date, as it stands in the header. */
export function status(code: number, retryAfter?: string | number): Answer {
  const headers = retryAfter === undefined ? {} : { "retry-after": String(retryAfter) };
  return { status: code, headers: { "content-type": "text/plain", ...headers }, body: `status ${code}\n` };
}

/** A page with 200, as captive portals and maintenance pages answer everything. */
export function html(): Answer {
  return {
    headers: { "content-type": "text/html; charset=utf-8" },
    body: "<!doctype html><title>Maintenance</title><p>We will be back soon.\n",
  };
}

/** Text with 200 that claims to be JSON. */
export function text(body: string): Answer {
  return { headers: { "content-type": "application/json" }, body };
}

/** Waits before it does what the scenario does. */
export function delayed(milliseconds: number, scenario: Scenario): Handler {
  return async (exchange) => {
    await sleep(milliseconds, undefined, { signal: exchange.over });
    await perform(scenario, exchange);
  };
}

/** The first scenario for the first request, the second for the second, and the last for all that come after. */
export function inTurn(first: Scenario, ...rest: readonly Scenario[]): Handler {
  const all = [first, ...rest];
  let at = 0;
  return (exchange) => {
    const scenario = all[Math.min(at, rest.length)] ?? first;
    at += 1;
    return perform(scenario, exchange);
  };
}

/** Exactly these bytes on the connection, without any help from an HTTP library, and the connection's end. */
export function raw(bytes: string | Uint8Array): Handler {
  return ({ request }) => {
    request.socket.end(bytes);
  };
}
