import { JanitorError } from "../errors.ts";

/** A number as a person writes one; what range it may have is checked elsewhere. */
export function numberOf(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined;
  const number = /^[+-]?\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(number)) {
    throw new JanitorError("invalid_setting", `\`${flag}\` must be a number, not \`${text}\``);
  }
  return number;
}

/** The two halves of `NAME=VALUE`. */
export function split(pair: string, flag: string, form: string): [name: string, value: string] {
  const at = pair.indexOf("=");
  if (at < 1) throw malformed(flag, form, pair);
  return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
}

/** What is thrown at the value of a flag that is of another form. */
export function malformed(flag: string, form: string, text: string): JanitorError {
  return new JanitorError("invalid_setting", `\`${flag}\` must be \`${form}\`, not \`${text}\``);
}
