/**
 * What a thrown value says by itself, on one line. Caches and keys, which have to be small, take no more; where the reason is in what
 * lies below it, or in an error of the operating system, `messageOf` finds it.
 */
export function wordsOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\s+/g, " ").trim();
}
