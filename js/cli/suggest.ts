import { suggest } from "../core.ts";

/** The end of a message about an unknown name, such as ` (did you mean \`days\`?)`; empty where no known name is near. */
export function suggestion(word: string, known: readonly string[]): string {
  const meant = suggest(word, [...known]);
  return meant === undefined ? "" : ` (did you mean \`${meant}\`?)`;
}
