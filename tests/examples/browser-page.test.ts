/** The example page, from the tarball, built by Vite and opened in Chromium: it tells what the jobs do on a database. */

import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createJanitor, listJobs } from "idp-janitor";
import { nodeSqlite } from "idp-janitor/adapters/node-sqlite";
import type { Browser, Page } from "playwright-core";
import { createDemoDatabase } from "../../demo/database.ts";
import { REFERENCES } from "../../examples/browser-page/belongs.ts";
import { installed, type Project, ROOT } from "../package/packed.ts";
import { type StaticServer, serve } from "../package/static-server.ts";
import { launchChromium } from "../support/chromium.ts";

const EXAMPLE = fileURLToPath(new URL("../../examples/browser-page/", import.meta.url));
const NOW = "2026-06-01T00:00:00.000Z";
const STRICT = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess"];
const BUNDLER = ["--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler"];
const BROWSER = ["--customConditions", "browser", "--lib", "es2023,dom,dom.iterable", "--types", ""];

type Row = Record<string, unknown>;
type Tables = Record<string, Row[]>;

let project: Project;
let folder: string;
let server: StaticServer;
let browser: Browser;
let page: Page;
let said: string[] = [];

before(async () => {
  project = await installed();
  await cp(EXAMPLE, project.folder, { recursive: true });
  // The Vite that this repository has.
  const PATH = `${ROOT}node_modules/.bin:${process.env.PATH}`;
  await project.run("npm", ["run", "build"], { PATH });
  server = await serve(project.at("dist"), {});
  folder = await mkdtemp(project.at("files-"));
  browser = await launchChromium();
  page = await browser.newPage();
  page.on("pageerror", (error) => said.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "warning" || message.type() === "error") said.push(message.text());
  });
  await page.clock.setFixedTime(NOW);
});

after(async () => {
  await browser?.close();
  server?.close();
});

beforeEach(async () => {
  if (!page) return;
  said = [];
  await page.goto(`${server.origin}/index.html`);
  await page.getByLabel("Job").getByRole("option").first().waitFor({ state: "attached" });
});

async function fileOf(content: string | Uint8Array | object, name = "export.json"): Promise<string> {
  const isText = typeof content === "string" || content instanceof Uint8Array;
  const path = join(folder, name);
  await writeFile(path, isText ? content : JSON.stringify(content));
  return path;
}

const choose = (path: string) => page.getByLabel("Exported rows").setInputFiles(path);
const ask = () => page.getByRole("button", { name: "Show what would go" }).click();

/** What the page shows: by table, the rows in the file, those that would go, those that remain. */
async function counts(): Promise<Record<string, number[]>> {
  await page.getByRole("table").waitFor();
  const rows = await page.getByRole("table").locator("tbody tr").all();
  const cells = await Promise.all(rows.map((row) => row.locator("th, td").allTextContents()));
  return Object.fromEntries(cells.map(([table = "", ...numbers]) => [table, numbers.map(Number)]));
}

async function download(): Promise<{ name: string; tables: Tables }> {
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download what remains" }).click(),
  ]);
  const path = await file.path();
  return { name: file.suggestedFilename(), tables: JSON.parse(await readFile(path, "utf8")) as Tables };
}

async function problem(words: RegExp): Promise<void> {
  await page.getByRole("alert").filter({ hasText: words }).waitFor({ timeout: 5000 });
  assert.equal(await page.getByRole("button", { name: "Download what remains" }).isVisible(), false);
  assert.equal(await page.getByRole("status").textContent(), "");
}

/** All rows of a database as PostgreSQL's `json_agg` writes them. */
function exported(path: string): Tables {
  using database = new DatabaseSync(path, { readOnly: true });
  const names = database
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'")
    .all();
  return Object.fromEntries(
    names.map(({ name }) => {
      const types = new Map(
        database
          .prepare(`PRAGMA table_info("${name}")`)
          .all()
          .map((column) => [String(column.name), column.type]),
      );
      const plain = ([column, value]: [string, unknown]) => {
        if (value === null) return [column, null];
        if (types.get(column) === "bool") return [column, value === 1];
        if (types.get(column) === "datetime") return [column, `${String(value).replace(" ", "T")}+00:00`];
        return [column, value];
      };
      const rows = database.prepare(`SELECT * FROM "${name}"`).all();
      return [String(name), rows.map((row) => Object.fromEntries(Object.entries(row).map(plain)) as Row)];
    }),
  );
}

test("is a program of TypeScript", async () => {
  const options = [...STRICT, ...BUNDLER, ...BROWSER, "--allowImportingTsExtensions", "--noUnusedLocals"];
  await project.run(`${ROOT}node_modules/.bin/tsc`, [...options, "main.ts"]);
});

test("knows what belongs to what as the jobs do on a database", async () => {
  const path = join(folder, "schema.sqlite3");
  createDemoDatabase(path, { seed: 7, users: 1, now: new Date(NOW) });
  using database = new DatabaseSync(path, { readOnly: true });
  const janitor = createJanitor({ store: nodeSqlite(database) });
  const plans = await Promise.all(listJobs().map(({ name }) => janitor.plan(name)));
  const dependants = plans.flatMap(({ sweeps }) => sweeps.flatMap(({ dependants }) => dependants));
  const onDatabase = dependants.map((key) => [key.table, key.columns.join(), key.references, key.onDelete]);
  const isThere = ({ collection }: { collection: string }) => !/^otp_(email|hotp)_/.test(collection);
  const onPage = REFERENCES.filter(isThere).map((key): string[] => Object.values(key));
  const inOrder = (keys: readonly (readonly string[])[]) =>
    [...new Set(keys.map((key) => key.join(" ")))].sort();
  assert.deepEqual(inOrder(onPage), inOrder(onDatabase));
});

for (const { name: job } of listJobs()) {
  test(`${job}: tells and leaves what the job does on a database`, async () => {
    const path = join(folder, `${job}.sqlite3`);
    createDemoDatabase(path, { seed: 7, users: 300, now: new Date(NOW) });
    const all = exported(path);
    const database = new DatabaseSync(path);
    const { summary } = await createJanitor({ store: nodeSqlite(database) }).run(job, { now: NOW });
    database.close();
    const left = exported(path);

    await choose(await fileOf(all, `${job}.json`));
    await page.getByLabel("Job").selectOption(job);
    await ask();
    const expected = Object.entries(all).map(([table, rows]) => {
      const remain = left[table]?.length ?? 0;
      return [table, [rows.length, rows.length - remain, remain]] as const;
    });
    assert.ok(
      expected.some(([, [, gone]]) => gone !== 0),
      "something goes",
    );
    assert.deepEqual(await counts(), Object.fromEntries(expected));
    // "Successfully removed 2 token(s)." and "2 token(s) would be removed."
    const words = summary.replace(/^Successfully removed (.*)\.$/, "$1 would be removed.");
    assert.equal(await page.getByRole("status").textContent(), words);
    const { name, tables } = await download();
    assert.equal(name, `remaining-${job}.json`);
    assert.deepEqual(tables, left);
    assert.deepEqual(said, []);
  });
}

const SESSIONS = {
  django_session: [
    { session_key: "old", expire_date: "2026-01-01T00:00:00Z" },
    { session_key: "new", expire_date: "2026-12-31T00:00:00Z" },
  ],
};

test("takes a file that is dropped beside the field, and tables that only some jobs need", async () => {
  const transfer = await page.evaluateHandle((text) => {
    const dropped = new DataTransfer();
    dropped.items.add(new File([text], "dropped.json"));
    return dropped;
  }, JSON.stringify(SESSIONS));
  await page.dispatchEvent("h1", "drop", { dataTransfer: transfer });
  await page.getByLabel("Job").selectOption("clearsessions");
  await ask();
  assert.deepEqual(await counts(), { django_session: [2, 1, 1] });
  const { name, tables } = await download();
  assert.equal(name, "remaining-dropped.json");
  assert.deepEqual(tables, { django_session: [SESSIONS.django_session[1]] });
});

test("shows nothing of one choice beside another", async () => {
  await choose(await fileOf(SESSIONS));
  await page.getByLabel("Job").selectOption("clearsessions");
  await ask();
  await counts();
  await page.getByLabel("Job").selectOption("cleartokens");
  assert.equal(await page.getByRole("table").isVisible(), false);
  assert.equal(await page.getByRole("status").textContent(), "");
});

for (const [title, content, words] of [
  ["is no JSON", "id,expires\n1,2\n", /^export\.json cannot be read as JSON: /],
  [
    "is no UTF-8",
    Buffer.from('{"people_user":[{"id":"é"}]}', "latin1"),
    /^export\.json cannot be read as JSON: /,
  ],
  ["has no tables", [SESSIONS], /^export\.json has no object of tables in it$/],
  ["has no rows", { django_session: null }, /^export\.json has no list of rows as `django_session`$/],
  ["has rounded numbers", '{"django_session":[{"session_key":9007199254740993}]}', /has to be text$/],
  ["has not the tables of the job", { people_user: [] }, /^there is no collection `django_session`$/],
  ["has a row without its key", { django_session: [{ id: 1 }] }, /^row 0 of `django_session` has no/],
  ["lacks a field", { django_session: [{ session_key: "old" }] }, /`expire_date`/],
] as const) {
  test(`a file that ${title} shows a message, and a good one after it shows none`, async () => {
    await page.getByLabel("Job").selectOption("clearsessions");
    await choose(await fileOf(content));
    await ask();
    await problem(words);
    await choose(await fileOf(SESSIONS, "good.json"));
    await ask();
    assert.deepEqual(await counts(), { django_session: [2, 1, 1] });
    assert.equal(await page.getByRole("alert").textContent(), "");
    assert.deepEqual(said, []);
  });
}
