/** The package in a real browser: loaded as files from a server, no bundler between. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { launchChromium } from "../support/chromium.ts";
import { keySet, signToken, testKey } from "../support/keys.ts";
import { startProvider } from "../support/provider.ts";
import { json, redirect } from "../support/scenarios.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".wasm": "application/wasm",
};

let server: Server;
let browser: Browser;
let page: Page;

before(async () => {
  server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url ?? "/", "http://localhost").pathname);
    try {
      const body = await readFile(join(ROOT, path));
      response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "text/plain" }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  browser = await launchChromium();
  // The authority of the provider is one of the tests' own.
  page = await browser.newPage({ ignoreHTTPSErrors: true });
  const { port } = server.address() as AddressInfo;
  await page.goto(`http://127.0.0.1:${port}/tests/browser/page.html`);
});

after(async () => {
  await browser?.close();
  server?.close();
});

test("is refused before it is loaded, and a failed load can be tried again", async () => {
  const seen = await page.evaluate(async () => {
    const { createJanitor, init, selectStale, memory } = window.janitor;
    const codes: unknown[] = [];
    const attempt = (work: () => unknown) => {
      try {
        work();
      } catch (error) {
        codes.push((error as { code?: string }).code);
      }
    };
    attempt(() => selectStale("clearsessions", []));
    attempt(() => createJanitor({ store: memory({}) }));
    await init(new URL("/no-such-file.wasm", location.href)).catch(() => codes.push("failed"));
    await Promise.all([init(), init()]);
    await init();
    return codes;
  });
  assert.deepEqual(seen, ["not_loaded", "not_loaded", "failed"]);
});

test("selects stale records", async () => {
  const ids = await page.evaluate(() => {
    const rows = [
      { id: 1n, email_verified: null, date_joined: new Date("2026-01-01T00:00:00Z") },
      { id: 2n, email_verified: null, date_joined: "2026-05-31T00:00:00Z" },
    ];
    const options = { now: "2026-06-01T00:00:00Z" };
    return window.janitor
      .selectStale("remove_stale_unverified_accounts", rows, options)
      .map(({ id }) => String(id));
  });
  assert.deepEqual(ids, ["1"]);
});

test("refreshes keys by gloo-net from a provider on TLS, and verifies a token", async () => {
  const key = testKey("es256");
  await using provider = await startProvider();
  // What a provider has to say so that a page may read its answer.
  provider.respond("/jwks", json(keySet(key), { headers: { "access-control-allow-origin": "*" } }));
  provider.respond("/moved", redirect("/jwks"));
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: provider.issuer, aud: "page", sub: "somebody", iat: now, exp: now + 300 };
  const given = {
    uris: [provider.jwksUri(), provider.jwksUri("/moved")],
    issuer: provider.issuer,
    token: await signToken(key, claims),
  };
  const seen = await page.evaluate(async ({ uris: [jwksUri = "", moved = ""], issuer, token }) => {
    const { createKeys, memoryCache } = window.janitor;
    const cache = memoryCache();
    const algorithms = ["ES256"];
    const keys = createKeys({ providers: { idp: { jwksUri, issuer, algorithms } }, cache });
    const { clients } = await keys.refresh();
    const { sub } = await keys.verifyIdToken(token, { provider: "idp", audience: "page" });
    const elsewhere = createKeys({ providers: { idp: { jwksUri: moved } }, cache });
    const [redirected] = (await elsewhere.refresh()).clients;
    return [clients[0]?.outcome, clients[0]?.added, sub, redirected?.error?.code];
  }, given);
  assert.deepEqual(seen, ["refreshed", ["es256"], "somebody", "provider_redirect"]);
});

test("runs a job on the memory store, dry and for real", async () => {
  const result = await page.evaluate(async () => {
    const { createJanitor, memory } = window.janitor;
    const sessions = Array.from({ length: 1200 }, (_, at) => ({
      session_key: `s${at}`,
      expire_date: at % 3 === 0 ? "2026-05-31T00:00:00Z" : "2026-06-02T00:00:00Z",
    }));
    const store = memory({ django_session: sessions }, { ids: { django_session: "session_key" } });
    const janitor = createJanitor({ store });
    const progress: number[] = [];
    const options = {
      now: "2026-06-01T00:00:00Z",
      onProgress: ({ walked }: { walked: number }) => void progress.push(walked),
    };
    const dry = await janitor.run("clearsessions", { ...options, dryRun: true });
    const report = await janitor.run("clearsessions", options);
    return {
      dry: dry.wouldRemove,
      removed: report.removed,
      left: store.rows("django_session").length,
      progress,
    };
  });
  assert.deepEqual(result.dry, { django_session: 400 });
  assert.deepEqual(result.removed, { django_session: 400 });
  assert.equal(result.left, 800);
  assert.ok(result.progress.length > 2, "it reported its progress");
});
