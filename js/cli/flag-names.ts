import { JanitorError } from "../errors.ts";
import type { Flags } from "./options.ts";

/**
 * What the core says of a setting, with the name of the flag that it was typed as. What the configuration says keeps the
 * name that it has there.
 */
export function inWordsOfFlags(error: JanitorError, flags: Flags): JanitorError {
  const name = /^`(\w+)` must be /.exec(error.message)?.[1];
  const isOfSetting = error.code === "invalid_setting" || error.code === "too_few_statements";
  if (!isOfSetting || name === undefined || !wasTyped(name, flags, error.message)) return error;
  const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  const { code, cause, report } = error;
  const message = error.message.replace(name, flag);
  return new JanitorError(code, message, { cause, ...(report && { report }) });
}

function wasTyped(name: string, flags: Flags, message: string): boolean {
  // Of these, some may have been typed and others configured.
  if (name === "onDelete") {
    return (flags.onDelete ?? []).some((pair) => message.endsWith(`\`${pair.split("=", 1)[0]?.trim()}\``));
  }
  return Object.hasOwn(flags, name);
}
