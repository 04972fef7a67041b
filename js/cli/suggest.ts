/**
 * The end of a message about an unknown name: ` (did you mean \`days\`?)`, or nothing where no known name is near.
 *
 * @param word what was written
 * @param known what could have been meant
 */
export function suggestion(word: string, known: readonly string[]): string {
  const plain = normal(word);
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const other = normal(candidate);
    const distance = editDistance(plain, other);
    if (distance < bestDistance && distance <= Math.max(plain.length, other.length) * 0.4) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best === undefined ? "" : ` (did you mean \`${best}\`?)`;
}

/** `max-rows`, `max_rows` and `maxRows` are one name to a person. */
function normal(name: string): string {
  return name.slice(0, 100).replace(/[-_]/g, "").toLowerCase();
}

function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const cost = from[row - 1] === to[column - 1] ? 0 : 1;
      current[column] = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + cost,
      );
    }
    previous = current;
  }
  return previous[to.length] ?? 0;
}
