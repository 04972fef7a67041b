import { JanitorError } from "../errors.ts";
import type { JobDescription, JobSettings } from "../janitor.ts";
import type { OnDelete } from "../report.ts";
import { checkAction, checkFlag, isColumnName } from "./checks.ts";
import { type CliConfig, loadConfig } from "./config.ts";
import { malformed, numberOf, split } from "./flag-values.ts";
import { defined } from "./values.ts";

/** The flags of a job as the argument parser hands them over: text as it was typed. */
export interface Flags {
  readonly database?: string;
  readonly days?: string;
  readonly set?: readonly string[];
  readonly dryRun?: boolean;
  readonly now?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly config?: string;
  readonly maxRows?: string;
  readonly maxStatements?: string;
  readonly maxSeconds?: string;
  readonly sliceMs?: string;
  readonly concurrency?: string;
  readonly pauseMs?: string;
  readonly checkpoint?: string;
  readonly userTable?: string;
  readonly onDelete?: readonly string[];
}

/** What a command is to do, flags and configuration taken together. */
export interface Options {
  readonly database: string;
  readonly dryRun: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly checkpoint?: string;
  /** What the janitor is made with, the store apart. */
  readonly janitor: {
    readonly jobs?: JobSettings;
    readonly userTable?: string;
    readonly onDelete?: Readonly<Record<string, OnDelete>>;
  };
  /** By what the job judges. */
  readonly judging: { readonly now?: string; readonly settings: Readonly<Record<string, unknown>> };
  /** Where a run ends, and how it goes there. */
  readonly bounds: {
    readonly maxRows?: number;
    readonly maxStatements?: number;
    readonly maxSeconds?: number;
    readonly sliceMs?: number;
    readonly concurrency?: number;
    readonly pauseMs?: number;
  };
}

/**
 * Reads and checks everything that a command was told: flags, then the configuration file, then the environment. Touches
 * no database.
 *
 * @param job the one that is meant; absent where all of them are
 * @throws JanitorError with a code of wrong use
 */
export async function readOptions(
  flags: Flags,
  job: JobDescription | undefined,
  jobs: readonly JobDescription[],
): Promise<Options> {
  const told = configOfFlags(flags);
  const settings = { ...settingsOf(flags.set ?? [], job), ...daysOf(flags.days) };
  const file = await loadConfig(flags.config, jobs);
  const all: CliConfig = { ...file, ...told, onDelete: { ...file.onDelete, ...told.onDelete } };
  const { dryRun, json, quiet, checkpoint, now } = all;
  const database = all.database ?? databaseOfEnvironment();
  if (database === undefined) {
    const others = "or set the environment variable DATABASE_URL";
    const forms = "`--database sqlite:PATH` or `--database postgres://HOST/NAME`";
    throw new JanitorError("invalid_setting", `no database is given: add ${forms}, ${others}`);
  }
  const { userTable, onDelete, maxRows, maxStatements, maxSeconds, sliceMs, concurrency, pauseMs } = all;
  return {
    database,
    dryRun: dryRun ?? false,
    json: json ?? false,
    quiet: quiet ?? false,
    ...defined({ checkpoint }),
    janitor: defined({ jobs: all.jobs, userTable, onDelete }),
    judging: { ...defined({ now }), settings },
    bounds: defined({ maxRows, maxStatements, maxSeconds, sliceMs, concurrency, pauseMs }),
  };
}

/** Where the command line was not told, and where a password is not to stand in the list of processes. */
export function databaseOfEnvironment(): string | undefined {
  return process.env.DATABASE_URL?.trim() || undefined;
}

function configOfFlags(flags: Flags): CliConfig {
  const { database, dryRun, json, quiet, now, checkpoint, userTable, onDelete } = flags;
  const told: CliConfig = defined({
    ...{ database, dryRun, json, quiet, now, checkpoint, userTable },
    maxRows: numberOf(flags.maxRows, "--max-rows"),
    maxStatements: numberOf(flags.maxStatements, "--max-statements"),
    maxSeconds: numberOf(flags.maxSeconds, "--max-seconds"),
    sliceMs: numberOf(flags.sliceMs, "--slice-ms"),
    concurrency: numberOf(flags.concurrency, "--concurrency"),
    pauseMs: numberOf(flags.pauseMs, "--pause-ms"),
    onDelete: onDelete && actionsOf(onDelete),
  });
  for (const [setting, flag] of CHECKED) {
    if (told[setting] !== undefined) checkFlag(setting, told[setting], flag);
  }
  return told;
}

const CHECKED: readonly (readonly [keyof CliConfig, string])[] = [
  ["database", "--database"],
  ["now", "--now"],
  ["checkpoint", "--checkpoint"],
  ["userTable", "--user-table"],
  ["maxRows", "--max-rows"],
  ["maxStatements", "--max-statements"],
  ["maxSeconds", "--max-seconds"],
  ["sliceMs", "--slice-ms"],
  ["concurrency", "--concurrency"],
  ["pauseMs", "--pause-ms"],
];

function daysOf(text: string | undefined): { days?: number } {
  return defined({ days: numberOf(text, "--days") });
}

function settingsOf(pairs: readonly string[], job: JobDescription | undefined): Record<string, unknown> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [name, value] = split(pair, "--set", "NAME=VALUE");
      const setting = job?.settings.find((candidate) => candidate.name === name);
      // `rules=3.4` means the text, as its default does.
      const isText = typeof setting?.default === "string" && !value.startsWith('"');
      return [name, isText ? value : jsonOrText(value)];
    }),
  );
}

function actionsOf(pairs: readonly string[]): Record<string, OnDelete> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [column, action] = split(pair, "--on-delete", "table.column=ACTION");
      if (!isColumnName(column)) throw malformed("--on-delete", "table.column=ACTION", pair);
      checkAction(action, `the action of \`--on-delete ${pair}\``);
      return [column, action];
    }),
  );
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
