// The tarball that would be published, and bare projects that have installed it.

import { execFile } from "node:child_process";
import { rmSync } from "node:fs";
import { cp, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** The repository. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** A project that has nothing but the package and what the package itself depends on. */
export interface Project {
  readonly folder: string;
  /** Where a file of the project is. */
  at(path: string): string;
  /** Runs a command in the project and gives its standard output; throws, with all it said, where it fails. */
  run(command: string, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<string>;
}

let packing: Promise<string> | undefined;

/** The path of the tarball, which is made once for each process and is gone when it ends. */
export function tarball(): Promise<string> {
  packing ??= pack();
  return packing;
}

/** Installs the tarball in a new project with the files of `tests/consumers/<consumer>/`; gone when the process ends. */
export async function installed(consumer?: string): Promise<Project> {
  const [folder, packed] = await Promise.all([temporaryFolder(), tarball()]);
  if (consumer) {
    await cp(new URL(`../consumers/${consumer}/`, import.meta.url), folder, { recursive: true });
  }
  await writeFile(
    join(folder, "package.json"),
    JSON.stringify({ name: "consumer", private: true, type: "module" }),
  );
  // The few dependencies are in npm's cache, since this repository has installed them.
  await output("npm", ["install", "--prefer-offline", "--no-save", "--omit=dev", packed], folder);
  return {
    folder,
    at: (path) => join(folder, path),
    run: (command, args, env) => output(command, args, folder, env),
  };
}

async function pack(): Promise<string> {
  const folder = await temporaryFolder();
  // The scripts would build it anew, beneath the feet of the tests that run beside this one.
  const args = ["pack", "--ignore-scripts", "--json", "--pack-destination", folder];
  const [{ filename }] = JSON.parse(await output("npm", args, ROOT)) as [{ filename: string }];
  return join(folder, filename);
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "idp-janitor-package-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function output(
  command: string,
  args: readonly string[],
  cwd: string,
  env?: NodeJS.ProcessEnv,
): Promise<string> {
  try {
    return (await execute(command, args, { cwd, env: { ...process.env, ...env } })).stdout;
  } catch (error) {
    // The compiler says what is wrong on its standard output, which the message of the error leaves out.
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(" ")} failed\n${stdout}${stderr}`);
  }
}
