/** The bounds that hosts work within, held against what they may be. */

import { JanitorError } from "../errors.ts";

/** What most hosts are bounded by; what is absent has a default of the host's. */
export interface HostBounds {
  readonly maxStatements?: number | undefined;
  readonly maxSeconds?: number | undefined;
}

/**
 * Refuses bounds that bound nothing: statements are whole, 1 or more; seconds are above 0.
 *
 * @param mostSeconds what the seconds may be at most, where the host ends by itself what takes longer
 * @throws JanitorError `invalid_setting`
 */
export function requireBounds({ maxStatements, maxSeconds }: HostBounds, mostSeconds?: number): void {
  if (maxStatements !== undefined && !(Number.isSafeInteger(maxStatements) && maxStatements >= 1)) {
    throw invalid("maxStatements", "a whole number, 1 or more", maxStatements);
  }
  if (maxSeconds === undefined) return;
  const most = mostSeconds ?? Number.MAX_VALUE;
  if (Number.isFinite(maxSeconds) && maxSeconds > 0 && maxSeconds <= most) return;
  const range = mostSeconds === undefined ? "above 0" : `above 0, ${mostSeconds} at most`;
  throw invalid("maxSeconds", `a number of seconds ${range}`, maxSeconds);
}

/**
 * Refuses what is no number within a range, both ends of it allowed; what is absent is let through.
 *
 * @param unit what there are so many of, such as "hours"
 * @throws JanitorError `invalid_setting`
 */
export function requireAmount(
  name: string,
  value: number | undefined,
  unit: string,
  [least, most]: readonly [least: number, most: number],
): void {
  if (value === undefined) return;
  if (Number.isFinite(value) && value >= least && value <= most) return;
  throw invalid(name, `a number of ${unit} from ${least} to ${most}`, value);
}

function invalid(name: string, expected: string, value: unknown): JanitorError {
  return new JanitorError("invalid_setting", `\`${name}\` must be ${expected}, not ${String(value)}`);
}
