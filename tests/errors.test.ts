// The page of error codes against the codes that there are, and the exit status that it tells.

import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type ErrorCode, JanitorError } from "idp-janitor";
import { exitStatusOf } from "../pkg/cli/exit.js";

const ROOT = join(import.meta.dirname, "..");

function read(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** The rows of the table: each has its code, and the exit status or a dash. */
const ROWS = [...read("docs/errors.md").matchAll(/^\| `(\w+)` +\|[^|]+\| (\S+) +\|/gm)].map(
  ([, code, status]) => ({
    code: code as ErrorCode,
    status,
  }),
);

const CODES = [...read("js/errors.ts").matchAll(/^ {2}\| "(\w+)"/gm)].map(([, code]) => String(code));

test("the page lists every code once", () => {
  assert.ok(CODES.length > 50, `${CODES.length} codes were found`);
  assert.deepEqual(
    ROWS.map(({ code }) => code),
    CODES,
  );
});

test("every code of the core is one of them", () => {
  const paths = ["src/error.rs", "src/jwks/error.rs"];
  const ofCore = paths.flatMap((path) =>
    [...read(path).matchAll(/=> "(\w+)"/g)].map(([, code]) => String(code)),
  );
  assert.ok(ofCore.length > 15, `${ofCore.length} codes were found`);
  assert.deepEqual(
    ofCore.filter((code) => !CODES.includes(code)),
    [],
  );
});

test("every code is raised somewhere", () => {
  // These tell codes apart, and raise none.
  const others = ["js/errors.ts", "js/cli/exit.ts", "js/hosts/cloudflare/workflow.ts"];
  const paths = globSync(["src/**/*.rs", "js/**/*.ts"], { cwd: ROOT, exclude: ["js/testing/**", ...others] });
  const sources = paths.map(read).join("\n");
  assert.deepEqual(
    CODES.filter((code) => !sources.includes(`"${code}"`)),
    [],
  );
});

test("the exit status is that of the command line", () => {
  for (const { code, status } of ROWS) {
    if (status !== "–") assert.equal(status, String(exitStatusOf(new JanitorError(code, "of a test"))), code);
  }
});
