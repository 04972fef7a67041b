// The oldest Node that the package promises to run on.

import { execFile } from "node:child_process";
import { copyFileSync, globSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { buildOnce, CACHE, hashOf } from "../support/originals.ts";

/**
 * The packages that carry a Node 22 for a system each, pinned by their hashes. As dependencies of ours they would claim the
 * name `node` in `node_modules/.bin`, which belongs to the Node that everything else is run with.
 */
const PACKAGES = join(import.meta.dirname, "node22");
const MANIFESTS = ["package.json", "package-lock.json"];

/** The path of its binary. A machine that cannot get it fails the test. */
export async function node22(): Promise<string> {
  const folder = join(CACHE, `node22-${hashOf(MANIFESTS.map((name) => join(PACKAGES, name)))}`);
  await buildOnce(folder, async (scratch) => {
    mkdirSync(scratch);
    for (const name of MANIFESTS) copyFileSync(join(PACKAGES, name), join(scratch, name));
    await promisify(execFile)("npm", ["ci", "--ignore-scripts"], { cwd: scratch });
    binary(scratch);
  });
  return binary(folder);
}

function binary(folder: string): string {
  const [path] = globSync(join(folder, "node_modules/*/bin/node"));
  if (path === undefined) throw new Error(`no package of npm carries a Node 22 for ${process.platform}`);
  return path;
}
