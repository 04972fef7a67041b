// The original management commands as a test oracle: a virtual environment that has them, databases
// seeded with every edge of their rules, and a comparison of databases row by row.

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { compareRows } from "./differences.ts";

/** Which Django OAuth Toolkit: `cleartokens` of versions before 3.4 removes other rows. */
export type Toolkit = "current" | "before-3.4";

export interface OracleOptions {
  /** The path of one of SQLite, or the url of one on a server. */
  database: string;
  /** Merged into Django's OAUTH2_PROVIDER, keys as in Django. */
  settings?: Readonly<Record<string, unknown>>;
  which?: Toolkit;
}

const SOURCES = join(import.meta.dirname, "../originals");
/** Where what takes long to make is kept between runs. */
export const CACHE = join(import.meta.dirname, "../../target/originals");
const REQUIREMENTS: Record<Toolkit, string> = {
  current: join(SOURCES, "requirements.txt"),
  "before-3.4": join(SOURCES, "requirements-before-3.4.txt"),
};
const BUILD_TIMEOUT_MS = 10 * 60 * 1000;

const execute = promisify(execFile);

/** The path of a Python that has the originals. */
export async function ensureVenv(which: Toolkit): Promise<string> {
  const requirements = REQUIREMENTS[which];
  const venv = join(CACHE, `${which}-${hashOf([requirements])}`);
  await buildOnce(venv, async (scratch) => {
    await execute("python3", ["-m", "venv", scratch]).catch((error: unknown) => {
      if (codeOf(error) !== "ENOENT") throw error;
      throw new Error("the originals need python3 on the PATH (3.11 or later, with venv)", { cause: error });
    });
    await execute(pythonOf(scratch), ["-m", "pip", "install", "--quiet", "--requirement", requirements]);
  });
  return pythonOf(venv);
}

/** Runs `tests/originals/oracle.py` and returns what it printed; throws with its stderr where it fails. */
export async function oracle(args: readonly string[], options: OracleOptions): Promise<string> {
  const { database, settings = {}, which = "current" } = options;
  const python = await ensureVenv(which);
  const env = { ...process.env, ORACLE_DATABASE: database, ORACLE_SETTINGS: JSON.stringify(settings) };
  const { stdout } = await execute(python, [join(SOURCES, "oracle.py"), ...args], { env });
  return stdout;
}

/** The path of a new database that is the same for the same arguments; gone when the process ends. */
export async function seededDatabase(seed: number, now: string, users?: number): Promise<string> {
  const database = copyDatabase(await migratedTemplate());
  const size = users === undefined ? [] : ["--users", String(users)];
  await oracle(["seed", "--seed", String(seed), "--now", now, ...size], { database });
  return database;
}

/** A copy of a database that nobody has open; gone when the process ends. */
export function copyDatabase(path: string): string {
  const copy = temporaryPath();
  copyFileSync(path, copy);
  return copy;
}

/** Every row of every table: JSON with the integers as strings, sorted. */
export function readDatabase(path: string): Map<string, string[]> {
  using database = new DatabaseSync(path, { readOnly: true });
  const names = database
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'")
    .all()
    .map((row) => String(row.name));
  return new Map(names.sort().map((name) => [name, readTable(database, name)]));
}

/** Throws where two databases do not hold the same rows, and says which. */
export function compareDatabases(a: string, b: string): void {
  compareRows({ name: a, rows: readDatabase(a) }, { name: b, rows: readDatabase(b) });
}

function readTable(database: DatabaseSync, table: string): string[] {
  const statement = database.prepare(`SELECT * FROM "${table}"`);
  statement.setReadBigInts(true);
  const withoutBigInts = (_: string, value: unknown) => (typeof value === "bigint" ? String(value) : value);
  return statement
    .all()
    .map((row) => JSON.stringify(row, withoutBigInts))
    .sort();
}

async function migratedTemplate(): Promise<string> {
  const project = readdirSync(join(SOURCES, "project"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".py"))
    .sort()
    .map((name) => join(SOURCES, "project", name));
  const template = join(CACHE, `template-${hashOf([REQUIREMENTS.current, ...project])}.sqlite3`);
  await buildOnce(template, async (scratch) => {
    await oracle(["migrate"], { database: scratch });
  });
  return template;
}

/**
 * Builds a file or a directory unless it is there. It appears under its name in one step and complete, so
 * that a build that was killed leaves nothing that looks finished. The lock only saves a second process the work.
 */
export async function buildOnce(path: string, build: (scratch: string) => Promise<void>): Promise<void> {
  const deadline = Date.now() + BUILD_TIMEOUT_MS;
  const lock = `${path}.lock`;
  mkdirSync(CACHE, { recursive: true });
  while (!existsSync(path)) {
    if (await takeLock(lock)) {
      try {
        if (!existsSync(path)) await buildInPlace(path, build);
      } finally {
        await rm(lock, { force: true });
      }
    } else if (Date.now() > deadline) {
      throw new Error(`waited in vain for another process to build ${path}; if none does, remove ${lock}`);
    } else {
      await sleep(200);
    }
  }
}

async function buildInPlace(path: string, build: (scratch: string) => Promise<void>): Promise<void> {
  const scratch = `${path}.${process.pid}`;
  try {
    await build(scratch);
    await rename(scratch, path);
  } catch (error) {
    // Another process that was first is as good.
    if (!existsSync(path)) throw error;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function takeLock(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
    if (isAbandoned(lock)) await rm(lock, { force: true });
    return false;
  }
}

function isAbandoned(lock: string): boolean {
  try {
    // Signal 0 reaches nobody, and fails where there is nobody. An owner that has not yet written its
    // number reads as 0, which is our own process group, hence alive.
    process.kill(Number(readFileSync(lock, "utf8")), 0);
    return false;
  } catch (error) {
    return codeOf(error) === "ESRCH";
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}

function pythonOf(venv: string): string {
  return join(venv, "bin/python");
}

/** A short hash of the files, for the names of what is made from them. */
export function hashOf(files: readonly string[]): string {
  const hash = createHash("sha256");
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest("hex").slice(0, 12);
}

let temporaryDirectory: string | undefined;
let temporaryFiles = 0;

/** The path of a new SQLite database that is not there yet; gone when the process ends. */
export function temporaryPath(): string {
  if (temporaryDirectory === undefined) {
    const directory = mkdtempSync(join(tmpdir(), "idp-janitor-originals-"));
    process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
    temporaryDirectory = directory;
  }
  temporaryFiles += 1;
  return join(temporaryDirectory, `${temporaryFiles}.sqlite3`);
}
