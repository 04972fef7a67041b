import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { local } from "./measure.ts";

/**
 * A copy of the package as it is built now, gone when the process ends: a bench takes long, and a build in the meantime
 * must not change or remove what is measured. It lies where what the package depends on is found.
 */
export function copyBuild(): string {
  const parent = local("../target");
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, "bench-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  for (const name of ["pkg", "package.json"])
    cpSync(local(`../${name}`), join(folder, name), { recursive: true });
  return join(folder, "pkg");
}
