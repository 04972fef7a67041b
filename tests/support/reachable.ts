// Programs that we fetched may lie where the user who is to run them may not look.

import { execFileSync } from "node:child_process";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { serverUser } from "./server.ts";

/** The tree itself where the server's user can read it, else a copy of it in the server's folder. */
export function reachable(tree: string, folder: string): string {
  try {
    execFileSync("ls", [tree], { stdio: "ignore", cwd: "/", ...serverUser() });
    return tree;
  } catch {
    const copy = join(folder, "programs");
    cpSync(tree, copy, { recursive: true, verbatimSymlinks: true });
    return copy;
  }
}
