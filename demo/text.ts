import { styleText } from "node:util";

/** Writes a line. */
export function print(text = ""): void {
  process.stdout.write(`${text}\n`);
}

/** A heading; bold where the terminal can. */
export function bold(text: string): string {
  return styleText("bold", text);
}

/** A number with its thousands set apart. */
export function count(number: number): string {
  return number.toLocaleString("en-US");
}

export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

/** A table: the first column flush left, the others flush right. */
export function columns(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join("  "),
    )
    .join("\n");
}
