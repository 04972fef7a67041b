import type { Diagnosis, JobVerdict } from "../report.ts";
import { columnOf, columns, indented } from "./text.ts";

/** How long a line of prose may be: as wide as a terminal is that nobody has made wider, or nearly. */
const WIDTH = 92;

/**
 * What an examination found, for a person at a terminal.
 *
 * @param address where the database is, without credentials
 */
export function doctorLines(diagnosis: Diagnosis, address: string): string[] {
  return [
    ...headLines(diagnosis, address),
    ...tableLines(diagnosis.tables),
    ...jobLines(diagnosis.jobs),
    ...referenceLines(diagnosis.unknownReferences),
    ...indexLines(diagnosis.missingIndexes),
  ];
}

function headLines({ server, product, userTable }: Diagnosis, address: string): string[] {
  return columns([
    ["server", server],
    ["database", address],
    ["schema", product ?? "none that is known"],
    ["users in", userTable ?? "no table that could be found; --user-table names it"],
  ]);
}

function tableLines(tables: Diagnosis["tables"]): string[] {
  if (tables.length === 0) return ["", "None of the tables of the jobs is there."];
  const lines = tables.flatMap(({ table, rows, foreignKeys }) => [
    rows === null ? table : `${table}: about ${rows} row(s)`,
    ...columns(
      foreignKeys.map(({ table: from, columns: names, onDelete, source }) => [
        `<- ${columnOf(from, names)}`,
        onDelete,
        `by ${source}`,
      ]),
    ).map(indented),
  ]);
  return ["", "Tables, what references them, and what becomes of that:", ...lines.map(indented)];
}

function jobLines(jobs: Diagnosis["jobs"]): string[] {
  return jobs.flatMap((verdict) => [
    "",
    `${verdict.job}: ${standing(verdict)}`,
    // Nobody expects an examination to change anything.
    ...prose(verdict.verdict.replace(/; nothing was changed$/, "")),
    ...verdict.warnings.flatMap((warning) => prose(`warning: ${warning}`)),
  ]);
}

function standing(verdict: JobVerdict): string {
  if (verdict.ready) return "ready";
  return lacksTables(verdict) ? "not for this database" : "NOT READY";
}

/** Whether a job is for the tables of another product, or another version of it. */
export function lacksTables({ code }: JobVerdict): boolean {
  return code === "not_this_schema";
}

function referenceLines(unknown: Diagnosis["unknownReferences"]): string[] {
  if (unknown.length === 0) return [];
  const heading =
    "Nobody says what becomes of these when what they reference goes. Add a flag for each, such as:";
  const lines = unknown.flatMap(({ column, references, setting }) => [
    `${column} -> ${references}`,
    `  ${setting}`,
  ]);
  return ["", heading, ...lines.map(indented)];
}

function indexLines(missing: Diagnosis["missingIndexes"]): string[] {
  if (missing.length === 0) return [];
  const heading = "Without an index on these, every slice reads their whole table:";
  const lines = missing.flatMap(({ table, columns: names, references, statement }) => [
    `${columnOf(table, names)} -> ${references}`,
    ...statement.split("\n").map(indented),
  ]);
  return ["", heading, ...lines.map(indented)];
}

/** A sentence as lines that a terminal need not break, indented. Names are longer than words, so some stick out. */
function prose(sentence: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of sentence.split(/\s+/)) {
    if (line !== "" && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = "";
    }
    line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].filter((text) => text !== "").map(indented);
}
