// What a person is told who has not installed the driver: the command line as it lies in a project with nothing else.

import { cpSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { assertRefused, finished, newFolder, start } from "../command.ts";

const ROOT = join(import.meta.dirname, "../../..");
/** What `npm install idp-janitor` brings along. */
const DEPENDENCIES = ["cli-progress", "commander", "lilconfig"];

/** What is typed, and the driver that is missing. */
const CASES: readonly (readonly [driver: string, code: string, ...args: string[]])[] = [
  ["pg", "store_failed", "clearsessions", "--database", "postgres://u:sEcret@127.0.0.1:1/idp"],
  ["mysql2", "store_failed", "clearsessions", "--database", "mysql://u:sEcret@127.0.0.1:1/idp"],
  ["@libsql/client", "store_failed", "doctor", "--database", "libsql://127.0.0.1:1?tls=0&authToken=sEcret"],
  [
    "@redis/client",
    "cache_failed",
    "keys",
    "--client",
    "a=https://a.example/",
    "--cache",
    "redis://127.0.0.1:1",
  ],
];

describe("a driver that is not installed", { concurrency: 4 }, () => {
  for (const [driver, code, ...args] of CASES) {
    test(driver, async (t) => {
      const folder = newFolder(t);
      const home = join(folder, "node_modules/idp-janitor");
      mkdirSync(home, { recursive: true });
      for (const part of ["pkg", "package.json"])
        cpSync(join(ROOT, part), join(home, part), { recursive: true });
      for (const name of DEPENDENCIES) {
        symlinkSync(join(ROOT, "node_modules", name), join(folder, "node_modules", name));
      }
      const outcome = await finished(start(folder, args, {}, join(home, "pkg/cli/main.js")));
      assertRefused(
        outcome,
        1,
        code,
        new RegExp(`which is not there; install it: npm install ${driver} \\[`),
      );
    });
  }
});
