/** What the pages of the tarball say: where their links lead, and how large the wasm is. */

import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { brokenLinks } from "./links.ts";
import { installed } from "./packed.ts";

let folder: string;

before(async () => {
  folder = (await installed()).at("node_modules/idp-janitor");
});

test("every link leads to what the tarball holds, or out into the web", () => {
  const pages = globSync("**/*.md", { cwd: folder }).sort();
  for (const page of ["README.md", "docs/keys.md", "examples/README.md"])
    assert.ok(pages.includes(page), page);
  const broken: string[] = [];
  for (const page of pages) {
    for (const link of brokenLinks(join(folder, page), folder)) broken.push(`${page}: ${link}`);
  }
  assert.deepEqual(broken, []);
});

test("the page on runtimes tells the size of the wasm, within a few per cent", async () => {
  const [page, wasm] = await Promise.all([
    readFile(join(folder, "docs/runtimes.md"), "utf8"),
    readFile(join(folder, "pkg/core/core_bg.wasm")),
  ]);
  const told = /there, (\d+) kB, of which gzip makes (\d+) kB/.exec(page)?.slice(1) ?? [];
  const sizes = [wasm, gzipSync(wasm, { level: 9 })].map(({ length }) => length / 1000);
  assert.equal(told.length, sizes.length);
  sizes.forEach((size, at) => {
    assert.ok(Math.abs(Number(told[at]) / size - 1) < 0.03, `${told[at]} kB is said, ${size} kB it is`);
  });
});
