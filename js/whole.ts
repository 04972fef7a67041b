import { JanitorError } from "./errors.ts";

/**
 * Refuses what is no whole number within bounds, both of them allowed.
 *
 * @throws JanitorError `invalid_setting`
 */
export function requireWhole(
  name: string,
  value: unknown,
  least: number,
  most: number,
): asserts value is number {
  if (Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most) return;
  const message = `\`${name}\` must be a whole number from ${least} to ${most}, not ${String(value)}`;
  throw new JanitorError("invalid_setting", message, { setting: name });
}
