import type { JobDescription } from "../janitor.ts";
import type { Plan, Report } from "../report.ts";

/**
 * Rows of text as columns: the last one as it is, those before it filled up.
 *
 * @param right columns that are filled up on the left, as numbers are
 */
export function columns(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    });
  }
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return right.includes(column) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd(),
  );
}

/** A line one step further in. */
export function indented(line: string): string {
  return `  ${line}`;
}

/** The columns of a foreign key as a person reads them: `table.column`, or `table.(one, other)`. */
export function columnOf(table: string, names: readonly string[]): string {
  return names.length === 1 ? `${table}.${names[0]}` : `${table}.(${names.join(", ")})`;
}

/**
 * The outcome of a run: its summary, and the rows by table.
 *
 * @param goesOn whether to run it again is of use, where it is not complete
 */
export function reportLines(report: Report, checkpointFile: string | undefined, goesOn = true): string[] {
  const lines = [report.summary];
  lines.push(...countLines(report));
  if (report.restricted > 0) {
    lines.push("", `${report.restricted} stale row(s) stay, because rows that may not go reference them.`);
  }
  if (report.held > 0) {
    const what = `${report.held} stale row(s) were kept, because somebody held them when they were visited, or a trigger kept them`;
    lines.push("", report.dryRun ? `${what}.` : `${what}; the next pass tries again.`);
  }
  if (!report.complete && goesOn) lines.push("", workLeft(report, checkpointFile));
  return lines;
}

/** The rows that went and those that let go, by table; the latter only where there are any. */
function countLines(report: Report): string[] {
  const gone = report.wouldRemove ?? report.removed;
  const changed = report.wouldChange ?? report.changed;
  const names = [...new Set([...Object.keys(gone), ...Object.keys(changed)])].sort();
  if (names.length === 0) return [];
  const heading = report.dryRun ? ["table", "would go", "would change"] : ["table", "gone", "changed"];
  const counts = names.map((name) => [name, String(gone[name] ?? 0), String(changed[name] ?? 0)]);
  const width = Object.keys(changed).length > 0 ? 3 : 2;
  const table = [heading, ...counts].map((row) => row.slice(0, width));
  return ["", ...columns(table, [1, 2]).map(indented)];
}

function workLeft(report: Report, checkpointFile: string | undefined): string {
  if (report.dryRun) return "Stopped before the end: the counts are of what was looked at.";
  if (checkpointFile === undefined)
    return "Stopped before the end: run the same command again to remove the rest.";
  return `Stopped before the end: run the same command again, and it goes on from there (--checkpoint ${checkpointFile}).`;
}

/** What a job would do on a database. */
export function planLines(plan: Plan): string[] {
  const facts = [["job", plan.job], ["now", plan.now], ...(plan.cutoff ? [["cutoff", plan.cutoff]] : [])];
  const lines = [plan.opening, "", ...columns(facts)];
  plan.sweeps.forEach((sweep, index) => {
    lines.push(
      "",
      `${index + 1}. ${sweep.table}`,
      "",
      "  dependants, in the order in which they are cared for:",
    );
    lines.push(...dependantLines(sweep).map(indented).map(indented));
    lines.push("", "  statements, the one that finds what is stale and then those of a slice:");
    sweep.statements.forEach(({ purpose, table, sql }, at) => {
      if (at > 0) lines.push("");
      lines.push(`    ${purpose} ${table}:`, ...sql.split("\n").map((line) => `      ${line}`));
    });
  });
  return lines;
}

function dependantLines(sweep: Plan["sweeps"][number]): string[] {
  if (sweep.dependants.length === 0) return ["none"];
  return columns(
    sweep.dependants.map(({ table, columns: names, references, onDelete, source }) => [
      `${columnOf(table, names)} -> ${references}`,
      onDelete,
      `by ${source}`,
    ]),
  );
}

/** What is shown of a job. */
type Described = Pick<JobDescription, "summary" | "settings"> & { readonly name: string };

/** The jobs with their settings and defaults. */
export function listLines(jobs: readonly Described[]): string[] {
  return jobs.flatMap((job, index) => [
    ...(index === 0 ? [] : [""]),
    job.name,
    indented(job.summary),
    ...settingLines(job).map(indented),
  ]);
}

/** The settings of a job with their defaults, a line each. */
export function settingLines(job: Described): string[] {
  return columns(
    job.settings.map(({ name, default: value, summary }) => [name, JSON.stringify(value), summary]),
  );
}
