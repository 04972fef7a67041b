// Which rows two databases do not have in common.

/** What a database holds: by table, every row as text. */
export type Rows = ReadonlyMap<string, readonly string[]>;

/** Throws where two databases do not hold the same rows, and says which. */
export function compareRows(a: { name: string; rows: Rows }, b: { name: string; rows: Rows }): void {
  const tables = new Set([...a.rows.keys(), ...b.rows.keys()]);
  const differences = [...tables].flatMap((table) => {
    const onlyInA = without(a.rows.get(table), b.rows.get(table));
    const onlyInB = without(b.rows.get(table), a.rows.get(table));
    return onlyInA.length + onlyInB.length === 0
      ? []
      : [table, ...sample(`only in ${a.name}`, onlyInA), ...sample(`only in ${b.name}`, onlyInB)];
  });
  if (differences.length > 0) throw new Error(["the databases differ", ...differences].join("\n"));
}

/** Rows are told apart by their primary key, which every table of Django has, so a set will do. */
function without(rows: readonly string[] = [], others: readonly string[] = []): string[] {
  const known = new Set(others);
  return rows.filter((row) => !known.has(row));
}

function sample(title: string, rows: readonly string[]): string[] {
  if (rows.length === 0) return [];
  const shown = rows.slice(0, 5).map((row) => `    ${row}`);
  const rest = rows.length - shown.length;
  return [`  ${title}: ${rows.length}`, ...shown, ...(rest > 0 ? [`    and ${rest} more`] : [])];
}
