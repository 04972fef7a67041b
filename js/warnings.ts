/** Warnings of what was done in several parts. */

/** How many of those who said a thing are named. */
const NAMED = 5;
/** How many sentences are told. */
const MOST = 100;

/**
 * Each sentence once, behind the names of those who said it: the numbers in it are of one of them, and are not added up.
 *
 * @returns 100 sentences at most, and then one that says how many are left out
 */
export function whoSaidWhat(
  parts: readonly { readonly who: string; readonly warnings: readonly string[] }[],
): readonly string[] {
  const sayers = new Map<string, Set<string>>();
  for (const { who, warnings } of parts) {
    for (const warning of warnings) {
      const known = sayers.get(warning) ?? new Set();
      sayers.set(warning, known.add(who));
    }
  }
  const sentences = [...sayers].map(([warning, who]) => `${named([...who])}: ${warning}`);
  const left = sentences.length - MOST;
  return left > 0 ? [...sentences.slice(0, MOST), `${left} warnings more`] : sentences;
}

function named(who: readonly string[]): string {
  const others = who.length - NAMED;
  return others > 0 ? `${who.slice(0, NAMED).join("; ")}; and ${others} more` : who.join("; ");
}
