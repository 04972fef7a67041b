import { JanitorError } from "../errors.ts";
import type { JobDescription } from "../janitor.ts";
import type { OnDelete } from "../report.ts";
import type { CliConfig } from "./config.ts";
import { checkKeysConfig } from "./keys/config.ts";
import { suggestion } from "./suggest.ts";
import { isPlainObject } from "./values.ts";

/** Refuses a value by throwing. `where` is what the value is called in the message. */
type Check = (value: unknown, where: string, jobs: readonly JobDescription[]) => void;

const ACTIONS: readonly OnDelete[] = ["cascade", "set-null", "set-default", "restrict"];

const CHECKS: Readonly<Record<keyof CliConfig, Check>> = {
  database: checkText,
  userTable: checkText,
  onDelete: actions,
  maxRows: checkWholeNumber(1),
  maxStatements: checkWholeNumber(1),
  maxSeconds: positiveNumber,
  sliceMs: checkWholeNumber(1, 60_000),
  concurrency: checkWholeNumber(1, 32),
  pauseMs: checkWholeNumber(0, 60_000),
  checkpoint: checkText,
  now: checkText,
  dryRun: yesOrNo,
  quiet: yesOrNo,
  json: yesOrNo,
  jobs: jobSettings,
  keys: checkKeysConfig,
};

/**
 * Holds a configuration against what one may say: names and kinds of values here, the values of job settings in the core.
 *
 * @param source the file's name, for messages
 * @throws JanitorError `unknown_setting` with a suggestion, or `invalid_setting`
 */
export function checkConfig(config: unknown, source: string, jobs: readonly JobDescription[]): CliConfig {
  if (!isPlainObject(config)) {
    throw invalid(`the configuration \`${source}\``, "an object of settings", config);
  }
  for (const [name, value] of Object.entries(config)) {
    if (!isSetting(name)) throw unknown(`setting \`${name}\` in \`${source}\``, name, Object.keys(CHECKS));
    if (value !== undefined) CHECKS[name](value, `\`${name}\` in \`${source}\``, jobs);
  }
  return config;
}

/** Holds the value of one flag against the same checks as the configuration's. */
export function checkFlag(setting: keyof CliConfig, value: unknown, flag: string): void {
  CHECKS[setting](value, `\`${flag}\``, []);
}

/** One of the actions on delete. */
export function checkAction(value: unknown, where: string): asserts value is OnDelete {
  if (ACTIONS.some((action) => action === value)) return;
  const meant = typeof value === "string" ? suggestion(value, ACTIONS) : "";
  throw new JanitorError(
    "invalid_setting",
    `${where} must be one of ${ACTIONS.join(", ")}, not ${shown(value)}${meant}`,
  );
}

/** Whether text is `table.column`. */
export function isColumnName(name: string): boolean {
  return /^.+\..+$/s.test(name);
}

function isSetting(name: string): name is keyof CliConfig {
  return Object.hasOwn(CHECKS, name);
}

/** Text that is not empty. */
export function checkText(value: unknown, where: string): void {
  if (typeof value !== "string" || value.trim() === "") throw invalid(where, "text that is not empty", value);
}

function yesOrNo(value: unknown, where: string): void {
  if (typeof value !== "boolean") throw invalid(where, "true or false", value);
}

/** A whole number in a range. */
export function checkWholeNumber(least: number, most?: number): (value: unknown, where: string) => void {
  const range = most === undefined ? `of ${least} or more` : `from ${least} to ${most}`;
  return (value, where) => {
    const fits = typeof value === "number" && Number.isSafeInteger(value) && value >= least;
    if (!fits || (most !== undefined && value > most)) throw invalid(where, `a whole number ${range}`, value);
  };
}

function positiveNumber(value: unknown, where: string): void {
  if (typeof value !== "number" || !Number.isFinite(value) || value <= 0) {
    throw invalid(where, "a number above 0", value);
  }
}

function actions(value: unknown, where: string): void {
  if (!isPlainObject(value)) throw invalid(where, "an object of `table.column` and action", value);
  for (const [column, action] of Object.entries(value)) {
    if (!isColumnName(column)) throw invalid(`a name in ${where}`, "`table.column`", column);
    checkAction(action, `\`${column}\` of ${where}`);
  }
}

function jobSettings(value: unknown, where: string, jobs: readonly JobDescription[]): void {
  if (!isPlainObject(value)) throw invalid(where, "an object of job names and their settings", value);
  const names = jobs.map((job) => job.name);
  for (const [name, settings] of Object.entries(value)) {
    const job = jobs.find((candidate) => candidate.name === name);
    if (!job) {
      throw new JanitorError(
        "unknown_job",
        `unknown job \`${name}\` under ${where}${suggestion(name, names)}`,
      );
    }
    if (!isPlainObject(settings)) throw invalid(`\`${name}\` of ${where}`, "an object of settings", settings);
    const known = job.settings.map((setting) => setting.name);
    for (const setting of Object.keys(settings)) {
      if (!known.includes(setting))
        throw unknown(`setting \`${setting}\` of \`${name}\` under ${where}`, setting, known);
    }
  }
}

/** What is thrown at a name that does not exist. */
export function unknown(what: string, word: string, known: readonly string[]): JanitorError {
  return new JanitorError("unknown_setting", `unknown ${what}${suggestion(word, known)}`);
}

/** What is thrown at a value that cannot be. */
export function invalid(where: string, wanted: string, value: unknown): JanitorError {
  return new JanitorError("invalid_setting", `${where} must be ${wanted}, not ${shown(value)}`);
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" || typeof value === "function")
    return `a ${typeof value}`.replace("a o", "an o");
  return typeof value === "string" ? `\`${JSON.stringify(value)}\`` : `\`${String(value)}\``;
}
