// Instants as text that sorts, the same from every server: UTC, six decimals.

import { NOW } from "../support/original-cases.ts";

/** Text of a column as it is compared: instants in one form, anything else as it is. */
export function canonical(text: string): string {
  const parts = /^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.(\d+))?(?:\+00)?$/.exec(text);
  return parts ? `${parts[1]}.${(parts[2] ?? "").padEnd(6, "0")}` : text;
}

const SECOND = 1000;
const DAY = 24 * 60 * 60 * SECOND;

/** So many milliseconds, a whole number of seconds, after the instant that jobs judge by. */
function after(ms: number): string {
  const seconds = new Date(Date.parse(NOW.replace(/\.\d+/, "")) + ms).toISOString();
  return `${seconds.slice(0, 10)} ${seconds.slice(11, 19)}.${/\.(\d+)/.exec(NOW)?.[1] ?? "000000"}`;
}

/** The instants that rules and traffic know. */
export const AT = {
  now: after(0),
  soon: after(60 * 60 * SECOND),
  expired: after(-DAY),
  graceOver: after(-600 * SECOND),
  accountsStale: after(-90 * DAY),
  refreshOver: after(-90 * DAY),
  longAgo: after(-200 * DAY),
} as const;
