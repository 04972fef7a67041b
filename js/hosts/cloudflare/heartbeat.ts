/** A dead man's switch: a service that raises the alarm when it is told of a failure, or of nothing at all. */

import { wordsOf } from "../../words.ts";

/** Where the switch is told. */
export interface Heartbeat {
  /** Told by a POST when all went well. */
  readonly success: string;
  /** Told by a POST when something failed. */
  readonly failure: string;
}

/** The two addresses of a switch that has one for failures below its own, as Healthchecks and its kin have. */
export function heartbeatAt(url: string): Heartbeat {
  const failure = new URL(url);
  failure.pathname = `${failure.pathname.replace(/\/$/, "")}/fail`;
  return { success: url, failure: failure.href };
}

/** How long it is waited for, in milliseconds. */
const PATIENCE_MS = 5_000;

/** Tells the switch by a body of JSON; resolves with why that could not be done, where it could not. Never rejects. */
export async function tell(
  heartbeat: Heartbeat,
  outcome: keyof Heartbeat,
  what: unknown,
): Promise<string | undefined> {
  try {
    const { ok, status } = await fetch(heartbeat[outcome], {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(what),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    return ok ? undefined : `it answered ${status}`;
  } catch (error) {
    return wordsOf(error);
  }
}
