import { Command } from "commander";
import type { JobDescription } from "../janitor.ts";
import { addYesOrNo, appended, configured, places, STATUSES } from "./command.ts";
import type { KeyFlags } from "./keys/options.ts";
import { addKeys, addRefreshKeys } from "./keys/program.ts";
import type { Flags } from "./options.ts";
import { settingLines } from "./text.ts";

/** What the commands do; the parser only finds out which one is meant. */
export interface Handlers {
  run(job: JobDescription, flags: Flags): Promise<void>;
  plan(job: JobDescription, flags: Flags): Promise<void>;
  doctor(flags: Flags): Promise<void>;
  list(): Promise<void>;
  refreshKeys(flags: KeyFlags): Promise<void>;
  keys(flags: KeyFlags): Promise<void>;
}

/** The command line as the argument parser knows it: a command a job, `plan` with the same again, and `doctor` and `list`. */
export function createProgram(jobs: readonly JobDescription[], version: string, handlers: Handlers): Command {
  const program = configured(new Command("idp-janitor"), version)
    .description("Removes from identity stores what should no longer be there, and keeps signing keys fresh.")
    .usage("JOB --database URL [options]")
    .addHelpText("after", `\n${NAMES}\n\n${DATABASES}\n\n${PLACES}\n\n${STATUSES}\n\n${DEBUGGING}`);
  program.commandsGroup("Jobs:");
  for (const job of jobs) {
    const command = addJob(program, job, version);
    addRunOptions(command);
    command.addHelpText("after", () => jobHelp(job, DATABASES, PLACES, CHECKPOINT));
    command.action((flags: Flags) => handlers.run(job, flags));
  }
  addRefreshKeys(program, version).action((flags: KeyFlags) => handlers.refreshKeys(flags));
  program.commandsGroup("Other commands:").helpCommand("help [command]", "print the help of a command");
  const plan = configured(program.command("plan"), version)
    .description("show what a job would do to a database, and run none of it")
    .usage("JOB --database URL [options]")
    .helpCommand(false)
    .commandsGroup("Jobs:");
  for (const job of jobs) {
    const command = addJob(plan, job, version).addHelpText("after", () =>
      jobHelp(job, DATABASES, PLAN_PLACES),
    );
    command.action((flags: Flags) => handlers.plan(job, flags));
  }
  addDoctor(program, version).action((flags: Flags) => handlers.doctor(flags));
  addKeys(program, version).action((flags: KeyFlags) => handlers.keys(flags));
  configured(program.command("list"), version)
    .description("list the jobs with their settings and defaults")
    .option("--json", "print one JSON object")
    .action(() => handlers.list());
  return program;
}

/** A job with what matters to its plan as well. */
function addJob(parent: Command, job: JobDescription, version: string): Command {
  const command = configured(parent.command(job.name), version).description(job.summary);
  const alias = job.name.replaceAll("_", "-");
  if (alias !== job.name) command.alias(alias);
  addDatabase(command);
  const days = job.settings.find((setting) => setting.name === "days");
  if (days) command.option("--days <n>", `${days.summary} (default: ${JSON.stringify(days.default)})`);
  addYesOrNo(command, "dry-run", "count what would go, change nothing");
  command.option("--now <instant>", "judge by this instant, RFC 3339 (default: the clock)");
  addYesOrNo(command, "json", "print one JSON object");
  addConfig(command).option("--set <name=value>", "a setting of the job; may be given again", appended);
  return addSchema(command);
}

/** The examination of a database, with what bears on every job. */
function addDoctor(parent: Command, version: string): Command {
  const command = configured(parent.command("doctor"), version)
    .description("examine a database, and whether the jobs can run on it; changes nothing")
    .usage("--database URL [options]");
  addDatabase(command);
  addYesOrNo(command, "json", "print one JSON object");
  addSchema(addConfig(command));
  return command.addHelpText("after", `\n${DATABASES}\n\n${DOCTOR_PLACES}\n\n${DOCTOR_STATUSES}`);
}

function addDatabase(command: Command): Command {
  return command.option("--database <url>", "the database, see below (default: $DATABASE_URL)");
}

function addConfig(command: Command): Command {
  return command.option("--config <file>", "configuration file, .mjs, .ts or .json");
}

/** What a person knows of the tables and the database does not. */
function addSchema(command: Command): Command {
  return command
    .option("--user-table <name>", "the project's user table (default: found by its foreign keys)")
    .option(
      "--on-delete <table.column=action>",
      "what to do with rows that reference a removed one: cascade, set-null, set-default or restrict; may be given again",
      appended,
    );
}

/** What matters only where something is run. */
function addRunOptions(command: Command): void {
  addYesOrNo(command, "quiet", "print warnings and errors only; --json is printed all the same");
  command
    .option("--max-rows <n>", "end after this many stale rows")
    .option("--max-statements <n>", "end before more than this many statements")
    .option("--max-seconds <n>", "end after the slice in which this time is over")
    .option(
      "--slice-ms <n>",
      "how long one slice may take, in milliseconds (default: 2000 on SQLite, 100 on servers)",
    )
    .option(
      "--concurrency <n>",
      "how many slices at the same time, on a connection each; 1 on SQLite (default: 1)",
    )
    .option("--pause-ms <n>", "how long to pause between slices, in milliseconds (default: 0)")
    .option("--checkpoint <file>", "go on from this file if it is there; keep it while there is work left");
}

function jobHelp(job: JobDescription, ...paragraphs: readonly string[]): string {
  return `\n${settingsHelp(job)}${[...paragraphs, STATUSES].join("\n\n")}`;
}

function settingsHelp(job: JobDescription): string {
  if (job.settings.length === 0) return "";
  const lines = settingLines(job).map((line) => `  ${line}`);
  return `Settings and their defaults, for --set and the configuration:\n${lines.join("\n")}\n\n`;
}

const NAMES = `Names of jobs may be written with - for _ . For the options of a job see idp-janitor JOB --help.`;

const DEBUGGING = `IDP_JANITOR_DEBUG=1 in the environment adds to an error its stack and those of its causes.`;

const DATABASES = `Databases: sqlite:PATH, postgres://USER:PASSWORD@HOST:PORT/NAME, mysql://USER:PASSWORD@HOST:PORT/NAME (MariaDB, too)
and libsql://HOST?authToken=TOKEN. The last three need the npm package pg, mysql2 or @libsql/client. Where neither
--database nor the configuration names one, the environment variable DATABASE_URL does: there a password is not to be
seen in the list of processes.`;

const PLACES = places("--no-dry-run, --no-json and --no-quiet");

const PLAN_PLACES = `${places("--no-dry-run and --no-json")}
What it says of bounds, slices, checkpoint and quiet is of no account to a plan.`;

const DOCTOR_PLACES = places("--no-json");

const DOCTOR_STATUSES = `Exit status: 0 every job whose tables are there can run, 1 one of them cannot, or the examination failed,
2 wrong use.`;

const CHECKPOINT = `The file of --checkpoint is written when a run ends with work left, and removed when the pass is done. A dry run
leaves it alone: it counts as a whole new pass would. The first SIGINT or SIGTERM ends a run after the slice in
hand, a second one at once.`;
