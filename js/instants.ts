import { JanitorError } from "./errors.ts";

/**
 * An instant as the core reads it: RFC 3339 text.
 *
 * @throws JanitorError `invalid_instant` for a Date that is none
 */
export function toInstantText(instant: string | Date | undefined): string | undefined {
  if (!(instant instanceof Date)) return instant;
  if (Number.isNaN(instant.getTime())) throw new JanitorError("invalid_instant", "`now` is an invalid Date");
  return instant.toISOString();
}
