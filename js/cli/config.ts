import { stat } from "node:fs/promises";
import { extname, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type LilconfigResult, type Loader, lilconfig } from "lilconfig";
import { JanitorError } from "../errors.ts";
import type { JobDescription, JobSettings } from "../janitor.ts";
import { messageOf } from "../message.ts";
import type { OnDelete } from "../report.ts";
import { checkConfig } from "./checks.ts";
import type { KeysConfig } from "./keys/config.ts";
import { withoutWarnings } from "./node-warnings.ts";

/** What a configuration file may say; flags go before it. Every entry is optional. */
export interface CliConfig {
  /**
   * `sqlite:PATH`, `postgres://…`, `mysql://…` or `libsql://…`; a relative path starts at the working directory. Default: the
   * environment variable `DATABASE_URL`.
   */
  readonly database?: string;
  /** The project's user table. Default: what `hidp_accounts_emailchangerequest.user_id` references. */
  readonly userTable?: string;
  /** What to do with rows that reference a removed one, by `"table.column"`. */
  readonly onDelete?: Readonly<Record<string, OnDelete>>;
  /** Ends a run after this many stale rows of the job's own tables, 1 or more. */
  readonly maxRows?: number;
  /** Ends a run before more than this many statements, 1 or more. */
  readonly maxStatements?: number;
  /** Ends a run after the slice in which this many seconds have passed, more than 0. */
  readonly maxSeconds?: number;
  /** The duration that a slice aims at, in milliseconds, 1 to 60,000. Default 2,000 on SQLite, 100 on servers. */
  readonly sliceMs?: number;
  /** How many slices are in hand at the same time, each on a connection of its own, 1 to 32; on SQLite 1. Default 1. */
  readonly concurrency?: number;
  /** The pause between slices, in milliseconds, 0 to 60,000. Default 0. */
  readonly pauseMs?: number;
  /** The file that carries a pass from one run to the next; a relative path starts at the working directory. */
  readonly checkpoint?: string;
  /** The instant to judge by, RFC 3339. Default: the clock. */
  readonly now?: string;
  /** Counts and changes nothing. */
  readonly dryRun?: boolean;
  /** Prints warnings and errors only. */
  readonly quiet?: boolean;
  /** Prints one JSON object. */
  readonly json?: boolean;
  /** Settings of the jobs, by name as `idp-janitor list` shows it. */
  readonly jobs?: JobSettings;
  /** Clients and cache of `refresh_oidc_clients_jwks` and `keys`. */
  readonly keys?: KeysConfig;
}

const NAME = "idp-janitor";
const PLACES = [`${NAME}.config.mjs`, `${NAME}.config.ts`, `${NAME}.config.json`];

/**
 * Reads the configuration: the given file, or the first of `idp-janitor.config.{mjs,ts,json}` in the working directory.
 * Folders above it are not searched: what decides over deletions is to be found where the command was typed.
 *
 * @param file what `--config` says
 * @throws JanitorError `invalid_setting` or `unknown_setting` with the file's name
 */
export async function loadConfig(
  file: string | undefined,
  jobs: readonly JobDescription[],
): Promise<CliConfig> {
  const found = file === undefined ? await search() : await load(file);
  if (found === null) return {};
  const name = relative(process.cwd(), found.filepath);
  if (found.isEmpty) throw new JanitorError("invalid_setting", `the configuration \`${name}\` is empty`);
  return checkConfig(found.config, name, jobs);
}

async function load(file: string): Promise<LilconfigResult> {
  if (!(extname(file) in LOADERS)) {
    throw new JanitorError("invalid_setting", `the configuration \`${file}\` must end in .mjs, .ts or .json`);
  }
  const path = resolve(file);
  const isFile = await stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
  if (!isFile) throw new JanitorError("invalid_setting", `there is no configuration file \`${file}\``);
  return explorer().load(path);
}

async function search(): Promise<LilconfigResult> {
  return explorer().search(process.cwd());
}

function explorer(): ReturnType<typeof lilconfig> {
  return lilconfig(NAME, {
    searchPlaces: PLACES,
    stopDir: process.cwd(),
    ignoreEmptySearchPlaces: false,
    loaders: LOADERS,
  });
}

const LOADERS: Readonly<Record<string, Loader>> = {
  ".mjs": (path) => readable(path, () => importDefault(path)),
  ".ts": (path) => readable(path, () => importTypeScript(path)),
  ".json": (path, text) => readable(path, async () => JSON.parse(text.replace(/^\uFEFF/, ""))),
};

async function importTypeScript(path: string): Promise<unknown> {
  // `false` where Node cannot, absent where it is older than the flag.
  if (!process.features.typescript) {
    throw new Error(
      `this Node (${process.version}) reads no TypeScript: use Node 22.18 or later, or a .mjs file`,
    );
  }
  // Most who have this file have no package.json beside it: theirs is a Python project.
  return withoutWarnings(["MODULE_TYPELESS_PACKAGE_JSON"], () => importDefault(path));
}

async function importDefault(path: string): Promise<unknown> {
  const module: { readonly default?: unknown } = await import(pathToFileURL(path).href);
  if (module.default === undefined) throw new Error("it has no default export");
  return module.default;
}

async function readable(path: string, read: () => Promise<unknown>): Promise<unknown> {
  try {
    return await read();
  } catch (error) {
    throw new JanitorError(
      "invalid_setting",
      `the configuration \`${relative(process.cwd(), path)}\` cannot be read: ${messageOf(error)}`,
      { cause: error },
    );
  }
}
