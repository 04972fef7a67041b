/** The installed package on a page: built by Vite, served as plain files, and opened in Chromium. */

import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { build, createServer } from "vite";
import { launchChromium } from "../support/chromium.ts";
import { JOB_DONE } from "./job-done.ts";
import { installed, type Project } from "./packed.ts";
import { type StaticServer, serve } from "./static-server.ts";

// All that a page has to allow, which is less than everything by default.
const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";

let project: Project;
let server: StaticServer;
let browser: Browser;
let page: Page;
let said: string[] = [];

before(async () => {
  project = await installed("vite");
  await build({
    root: project.folder,
    configFile: false,
    logLevel: "error",
    build: { rolldownOptions: { input: [project.at("index.html"), project.at("slim.html")] } },
  });
  server = await serve(project.at("dist"), { "content-security-policy": POLICY });
  browser = await launchChromium();
  page = await browser.newPage();
  page.on("pageerror", (error) => said.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "warning" || message.type() === "error") said.push(message.text());
  });
});

after(async () => {
  await browser?.close();
  server?.close();
});

/** What a page shows. Fails where it warns of something, or shows nothing. */
async function shownBy(address: string): Promise<unknown> {
  said = [];
  await page.goto(address);
  const text = await page
    .waitForFunction(() => document.querySelector("pre")?.textContent, undefined, { timeout: 10_000 })
    .then((handle) => handle.jsonValue())
    .catch((error: unknown) => {
      throw new Error(`${address} shows nothing: ${said.join("; ")}`, { cause: error });
    });
  assert.deepEqual(said, []);
  return JSON.parse(text ?? "");
}

test("makes one asset of the wasm, and scripts", async () => {
  const assets = await readdir(project.at("dist/assets"));
  const others = assets.filter((name) => !name.endsWith(".js"));
  assert.match(others.join(), /^[^,]+\.wasm$/);
});

test("runs a job, selects and judges keys", async () => {
  assert.deepEqual(await shownBy(`${server.origin}/index.html`), JOB_DONE);
});

test("takes the wasm that a page brings itself", async () => {
  assert.deepEqual(await shownBy(`${server.origin}/slim.html`), { jobs: 4 });
});

test("runs from the development server, which bundles packages beforehand", async () => {
  const development = await createServer({
    root: project.folder,
    configFile: false,
    logLevel: "error",
    server: { host: "127.0.0.1", port: 0 },
  });
  try {
    await development.listen();
    assert.deepEqual(await shownBy(`${development.resolvedUrls?.local[0]}index.html`), JOB_DONE);
  } finally {
    await development.close();
  }
});
