import { JanitorError } from "../errors.ts";
import type { Flags } from "./options.ts";

const ACTION = "onDelete.";

/**
 * What the core says of a setting, with the name of the flag that it was typed as. What the configuration says keeps the
 * name that it has there.
 */
export function inWordsOfFlags(error: JanitorError, flags: Flags): JanitorError {
  const { code, cause, report, setting } = error;
  const flag = setting === undefined ? undefined : flagOf(setting, flags);
  if (setting === undefined || flag === undefined) return error;
  const message = error.message.replace(`\`${setting}\``, `\`${flag}\``);
  return new JanitorError(code, message, { cause, setting, ...(report && { report }) });
}

/** The flag, if it was typed. */
function flagOf(setting: string, flags: Flags): string | undefined {
  if (setting.startsWith(ACTION)) {
    // Of actions, some may have been typed and others configured.
    const column = setting.slice(ACTION.length);
    const isTyped = (flags.onDelete ?? []).some((pair) => pair.split("=", 1)[0]?.trim() === column);
    return isTyped ? `--on-delete ${column}` : undefined;
  }
  if (!Object.hasOwn(flags, setting)) return undefined;
  return `--${setting.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
