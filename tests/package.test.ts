/** The tarball that would be published, installed in a bare project. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const CONSUMER = fileURLToPath(new URL("consumers/node/", import.meta.url));

let folder: string;

const run = (command: string, args: readonly string[]): string =>
  execFileSync(command, args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

before(() => {
  folder = mkdtempSync(join(tmpdir(), "idp-janitor-consumer-"));
  const packed = execFileSync("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", folder], {
    cwd: ROOT,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  cpSync(CONSUMER, folder, { recursive: true });
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ name: "consumer", private: true, type: "module" }),
  );
  run("npm", ["install", "--prefer-offline", "--no-save", "--omit=dev", join(folder, filename)]);
});

after(() => rmSync(folder, { recursive: true, force: true }));

test("runs a job from the installed package", () => {
  const report = JSON.parse(run(process.execPath, ["job.ts"])) as { removed: object; complete: boolean };
  assert.deepEqual(report.removed, { django_session: 1 });
  assert.equal(report.complete, true);
});

test("keeps and uses keys from the installed package", () => {
  const report = JSON.parse(run(process.execPath, ["keys.ts"])) as { clients: { outcome: string }[] };
  assert.deepEqual(
    report.clients.map(({ outcome }) => outcome),
    ["refreshed"],
  );
});

test("has its command line", () => {
  const output = run(join(folder, "node_modules/.bin/idp-janitor"), ["list", "--json"]);
  const { jobs } = JSON.parse(output) as { jobs: { name: string }[] };
  assert.equal(jobs.length, 5);
});

test("has types that hold in a strict project", () => {
  const tsc = join(ROOT, "node_modules/.bin/tsc");
  const types = join(ROOT, "node_modules/@types");
  run(tsc, [
    ...["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess"],
    ...["--module", "nodenext", "--target", "es2022", "--allowImportingTsExtensions"],
    ...["--typeRoots", types, "--types", "node", "job.ts", "keys.ts"],
  ]);
});

test("ships nothing but what it needs", () => {
  const files = run("find", ["node_modules/idp-janitor", "-type", "f"]).trim().split("\n");
  const strange = files.filter(
    (file) => !/^node_modules\/idp-janitor\/(pkg\/|docs\/|README|CHANGELOG|LICENSE|package\.json)/.test(file),
  );
  assert.deepEqual(strange, []);
  assert.ok(files.some((file) => file.endsWith("pkg/core/core_bg.wasm")));
});
