// Where a MariaDB comes from, or a MySQL.

import { execFile } from "node:child_process";
import { existsSync, globSync, mkdirSync, realpathSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { buildOnce, CACHE } from "./originals.ts";
import { reachable } from "./reachable.ts";

/** Debian's package of the server alone. Which version is Debian's choice: it keeps one per release of its own. */
const PACKAGE = "mariadb-server-core";

/** A server, and what it must be told to find its own files. */
export interface Mariadb {
  readonly product: "MariaDB" | "MySQL";
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Where the statements are that make the system tables of MariaDB. */
  readonly share: string;
}

const execute = promisify(execFile);

/**
 * The server that the environment variable MARIADB_BIN names (a path), which may be a MySQL's as well, else `mariadbd` or a `mysqld` that is one, on the
 * PATH or in /usr/sbin, else the one of Debian's package, got and unpacked without installing it. A machine that has none
 * and cannot get one fails the test: nothing is skipped.
 */
export async function mariadb(folder: string): Promise<Mariadb> {
  const { MARIADB_BIN } = process.env;
  if (MARIADB_BIN && !(await isMariadb(MARIADB_BIN))) return describeMysql(realpathSync(MARIADB_BIN));
  const installed = MARIADB_BIN || (await installedServer());
  if (installed) return describe(realpathSync(installed), {});
  const root = reachable(await fromDebian(), folder);
  const libraries = globSync(join(root, "{usr/,}lib/*-linux-gnu"));
  return describe(join(root, "usr/sbin/mariadbd"), { LD_LIBRARY_PATH: libraries.join(":") });
}

function describe(file: string, env: Readonly<Record<string, string>>): Mariadb {
  const base = dirname(dirname(file));
  const share = ["mysql", "mariadb"]
    .map((name) => join(base, "share", name))
    .find((path) => existsSync(join(path, "mysql_system_tables.sql")));
  if (share === undefined) throw new Error(`the files of MariaDB are not in share beside ${file}`);
  return { product: "MariaDB", file, env, share, args: [`--basedir=${base}`, `--lc-messages-dir=${share}`] };
}

function describeMysql(file: string): Mariadb {
  const base = dirname(dirname(file));
  const share = join(base, "share/mysql");
  const folders = [
    `--basedir=${base}`,
    `--lc-messages-dir=${share}`,
    `--character-sets-dir=${share}/charsets`,
  ];
  return {
    product: "MySQL",
    file,
    env: {},
    share,
    args: [...folders, "--mysqlx=OFF", "--secure-file-priv="],
  };
}

async function installedServer(): Promise<string | undefined> {
  const folders = [...(process.env.PATH ?? "").split(":"), "/usr/sbin"];
  const files = ["mariadbd", "mysqld"].flatMap((name) => folders.map((folder) => join(folder, name)));
  for (const file of files.filter((name) => existsSync(name))) {
    if (await isMariadb(file)) return file;
  }
  return undefined;
}

async function isMariadb(file: string): Promise<boolean> {
  const { stdout } = await execute(file, ["--version"]);
  return stdout.includes("MariaDB");
}

async function fromDebian(): Promise<string> {
  const root = join(CACHE, PACKAGE);
  await buildOnce(root, async (scratch) => {
    mkdirSync(scratch);
    const libraries = await missingLibraries();
    await download([PACKAGE, ...libraries], scratch);
    for (const file of globSync(join(scratch, "*.deb"))) {
      await execute("dpkg-deb", ["-x", file, scratch]);
      rmSync(file);
    }
  }).catch((error: unknown) => {
    const advice = `install ${PACKAGE}, or name a mariadbd in the environment variable MARIADB_BIN`;
    throw new Error(`there is no MariaDB, and no package that carries one: ${advice}`, { cause: error });
  });
  return root;
}

async function download(names: readonly string[], folder: string): Promise<void> {
  const get = () => execute("apt-get", ["download", "--quiet", ...names], { cwd: folder });
  await get().catch(async () => {
    // The lists of packages are missing, or so old that they name what is gone.
    await updateLists();
    await get();
  });
}

/** What the package depends on and the system has not, and what each of those does. */
async function missingLibraries(): Promise<string[]> {
  const list = () => execute("apt-cache", ["depends", "--recurse", "--important", PACKAGE]);
  const { stdout } = await list().catch(async () => {
    await updateLists();
    return list();
  });
  const names = [...stdout.matchAll(/^ +(?:Pre)?Depends: ([^<\s]+)$/gm)].map(([, name = ""]) => name);
  const libraries = [...new Set(names)].filter((name) => name.startsWith("lib"));
  const installed = await Promise.all(libraries.map(isInstalled));
  return libraries.filter((_, index) => !installed[index]);
}

function isInstalled(name: string): Promise<boolean> {
  return execute("dpkg-query", ["--status", name]).then(
    ({ stdout }) => stdout.includes("Status: install ok installed"),
    () => false,
  );
}

async function updateLists(): Promise<void> {
  if (process.getuid?.() === 0) await execute("apt-get", ["update", "--quiet"]);
}
