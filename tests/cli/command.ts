// The built command line as a child process, and what it is given to work on.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { TestContext } from "node:test";
import { createDemoDatabase } from "../../demo/database.ts";

/** The instant that the demo database is made for, and that every run judges by. */
export const NOW = "2026-06-01T00:00:00Z";

/** What the command line left behind when it ended. */
export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The program that a person installs as `idp-janitor`. */
export const MAIN = join(import.meta.dirname, "../../pkg/cli/main.js");

/** What names a database, or says how to reach it, is for each test to set. */
const OF_DATABASES = /^(DATABASE_URL|PG[A-Z]+)$/;

const environment: NodeJS.ProcessEnv = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !OF_DATABASES.test(name))),
  IDP_JANITOR_DEBUG: undefined,
  NODE_OPTIONS: undefined,
};

/** Starts the command line in a folder; another copy of it where one is named. */
export function start(
  folder: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  main = MAIN,
): ChildProcess {
  return spawn(process.execPath, [main, ...args], {
    cwd: folder,
    env: { ...environment, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** Waits for the end of a command line. */
export async function finished(child: ChildProcess): Promise<Outcome> {
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject).on("close", resolve);
  });
  return { status, stdout, stderr };
}

/** Runs the command line in a folder to its end. */
export function run(folder: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  return finished(start(folder, args, env));
}

/** A new folder that goes when the test is over. */
export function newFolder(test: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "idp-janitor-cli-"));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A new folder with a database of HIdP's schema in `idp.db`. */
export function newDatabase(test: TestContext, users = 400): string {
  const folder = newFolder(test);
  copyFileSync(template(users), join(folder, "idp.db"));
  return folder;
}

const templates = new Map<number, string>();
let templateFolder: string | undefined;

function template(users: number): string {
  if (templateFolder === undefined) {
    const made = mkdtempSync(join(tmpdir(), "idp-janitor-template-"));
    process.on("exit", () => rmSync(made, { recursive: true, force: true }));
    templateFolder = made;
  }
  const path = templates.get(users) ?? join(templateFolder, `${users}.db`);
  if (!templates.has(users)) {
    createDemoDatabase(path, { seed: 7, users, now: new Date(NOW) });
    templates.set(users, path);
  }
  return path;
}

/** The names of all files of a folder with the hashes of what is in them. */
export function snapshot(folder: string): Record<string, string> {
  const files = readdirSync(folder, { withFileTypes: true, recursive: true }).filter((entry) =>
    entry.isFile(),
  );
  return Object.fromEntries(
    files
      .map((file) => join(file.parentPath, file.name))
      .sort()
      .map((path) => [path, createHash("sha256").update(readFileSync(path)).digest("hex")]),
  );
}

/** How many rows a table of `idp.db` has. */
export function rows(folder: string, table: string): number {
  const db = new DatabaseSync(join(folder, "idp.db"), { readOnly: true });
  try {
    return Number(db.prepare(`SELECT count(*) AS n FROM "${table}"`).get()?.n);
  } finally {
    db.close();
  }
}

/** Holds that a command ended with one line on standard error and nothing on standard output. */
export function assertRefused(outcome: Outcome, status: number, code: string, words: RegExp = /./): void {
  assert.match(outcome.stderr, new RegExp(`^idp-janitor: [^\n]+ \\[${code}\\]\n$`));
  assert.match(outcome.stderr, words);
  assert.equal(outcome.status, status, outcome.stderr);
  assert.equal(outcome.stdout, "");
}
