import { suggest } from "./core.ts";
import { JanitorError } from "./errors.ts";

/**
 * Refuses options that do not exist: a misspelt one would silently not be followed.
 *
 * @throws JanitorError `unknown_setting`; `invalid_setting` for what is no object
 */
export function requireKnown(what: string, options: object, known: readonly string[]): void {
  if (typeof options !== "object" || options === null) {
    throw new JanitorError(
      "invalid_setting",
      `the options of ${what} must be an object, not ${String(options)}`,
    );
  }
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const suggestion = suggest(name, [...known]);
    const hint = suggestion === undefined ? "" : ` (did you mean \`${suggestion}\`?)`;
    throw new JanitorError("unknown_setting", `${what} has no option \`${name}\`${hint}`);
  }
}
