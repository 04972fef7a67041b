/** `idp-janitor refresh_oidc_clients_jwks` and `keys`, as a person or a crontab runs them, against a provider on TLS. */

import { deepEqual, equal, match } from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { testKey } from "../../support/keys.ts";
import { type Provider, startProvider } from "../../support/provider.ts";
import { html, neverAnswers, set } from "../../support/scenarios.ts";
import { trustInChildren } from "../../support/tls.ts";
import { assertRefused, finished, newFolder, type Outcome, run, snapshot, start } from "../command.ts";

const JOB = "refresh_oidc_clients_jwks";
const CACHE = ["--cache", "sqlite:keys.db"];

let provider: Provider;
let environment: NodeJS.ProcessEnv;
before(async () => {
  provider = await startProvider({ keys: [testKey("google-1"), testKey("es256")] });
  environment = trustInChildren(provider.ca);
});
after(() => provider.close());

const client = (path?: string) => ["--client", `acme=${provider.jwksUri(path)}`];
const command = (folder: string, ...args: readonly string[]): Promise<Outcome> =>
  run(folder, args, environment);

test("a refresh says the original's sentence and how it ended, and `keys` shows what is cached", async (t) => {
  const folder = newFolder(t);
  const first = await command(folder, JOB, ...client(), ...CACHE);
  deepEqual([first.status, first.stderr], [0, ""]);
  const [sentence, outcome] = first.stdout.split("\n");
  equal(sentence, `Fetching signing keys for 'acme' from '${provider.jwksUri()}'...`);
  const added = `added ${testKey("google-1").kid} ${testKey("es256").kid}`;
  match(outcome ?? "", new RegExp(`^acme: refreshed, 2 usable key\\(s\\), ${added}, fresh until 20\\S+Z$`));

  const again = await command(folder, "refresh-oidc-clients-jwks", ...client(), ...CACHE);
  match(again.stdout, /^acme: unchanged, 2 usable key\(s\), fresh until/m);

  const shown = await command(folder, "keys", ...client(), ...CACHE);
  deepEqual([shown.status, shown.stderr], [0, ""]);
  match(shown.stdout, /^acme: fresh\n {2}from https:\S+\/jwks, confirmed 0 min ago, used until 20\S+Z\n/);
  match(shown.stdout, new RegExp(`^ {2}${testKey("es256").kid} +EC P-256 ES256 +\\S{43} +usable$`, "m"));
});

test("--json prints the documented object alone", async (t) => {
  const folder = newFolder(t);
  const { status, stdout, stderr } = await command(folder, JOB, ...client(), ...CACHE, "--json");
  deepEqual([status, stderr], [0, ""]);
  const report = JSON.parse(stdout);
  deepEqual(Object.keys(report), ["job", "clients"]);
  equal(report.job, JOB);
  const [{ keys, freshUntil, usableUntil, ...rest }, ...others] = report.clients;
  deepEqual(others, []);
  const ids = [testKey("google-1").kid, testKey("es256").kid];
  deepEqual(rest, {
    ...{ client: "acme", uri: provider.jwksUri(), outcome: "refreshed" },
    ...{ added: ids.toSorted(), removed: [], changed: [], warnings: [] },
  });
  deepEqual(
    keys.map(({ thumbprint, ...key }: { thumbprint: string }) => [thumbprint.length, key]),
    [
      [43, { kid: ids[0], kty: "RSA", alg: "RS256", usable: true }],
      [43, { kid: ids[1], kty: "EC", alg: "ES256", crv: "P-256", usable: true }],
    ],
  );
  equal(Date.parse(usableUntil) - Date.parse(freshUntil), (604_800 - 300) * 1000);

  const shown = JSON.parse((await command(folder, "keys", ...client(), ...CACHE, "--json")).stdout);
  deepEqual(shown.clients[0].keys, keys);
});

test("a client that fails is told on one line and ends with 1; the others are refreshed, and its keys stay", async (t) => {
  const folder = newFolder(t);
  provider.respond("/moody", set(testKey("rs256")));
  const both = [...client(), "--client", `moody=${provider.jwksUri("/moody")}`, ...CACHE];
  const good = await command(folder, JOB, ...both);
  deepEqual([good.status, good.stderr], [0, ""]);

  provider.respond("/moody", html());
  const failed = await command(folder, JOB, ...both);
  equal(failed.status, 1);
  match(failed.stdout, /^acme: unchanged.*\nmoody: failed\n$/m);
  const [error, warning, ...rest] = failed.stderr.split("\n");
  match(error ?? "", /^idp-janitor: `moody`: what was to be a key set is no JSON .*\[key_set_not_json\]$/);
  match(warning ?? "", /^warning: `moody`: the keys of before stay and are used until 20/);
  deepEqual(rest, [""]);

  const quiet = await command(folder, JOB, ...both, "--quiet");
  deepEqual([quiet.status, quiet.stdout, quiet.stderr], [1, "", failed.stderr]);
  const json = JSON.parse((await command(folder, JOB, ...both, "--json")).stdout);
  deepEqual(
    json.clients.map((one: { outcome: string; error?: { code: string } }) => [one.outcome, one.error?.code]),
    [
      ["unchanged", undefined],
      ["failed", "key_set_not_json"],
    ],
  );

  const shown = await command(folder, "keys", ...both);
  equal(shown.status, 0);
  match(
    shown.stdout,
    /^moody: fresh\n.*\n {2}the last attempt, 0 min ago, failed: .* \[key_set_not_json\]\n {2}rs256 /m,
  );
});

test("published secrets are warned of, and are nowhere in the cache", async (t) => {
  const folder = newFolder(t);
  const leaked = testKey("es256-next");
  provider.respond("/leaked", set(testKey("rs256"), leaked.privateJwk));
  const told = await command(folder, JOB, ...client("/leaked"), ...CACHE);
  equal(told.status, 0);
  match(
    told.stderr,
    /^warning: `acme`: SECRET PUBLISHED: the key `es256-next`: its private half is published/,
  );
  const dump = await command(folder, "keys", ...client("/leaked"), ...CACHE, "--json");
  equal(dump.stdout.includes(String(leaked.privateJwk.d)), false);
});

test("`keys` without any that may be used ends with 1", async (t) => {
  const folder = newFolder(t);
  await command(folder, JOB, ...client(), ...CACHE);
  const other = await command(folder, "keys", "--client", "other=https://other.example/keys", ...CACHE);
  deepEqual([other.status, other.stdout], [1, "other: nothing is cached\n"]);
  // The cache has keys of acme, but from elsewhere.
  const moved = await command(folder, "keys", "--client", "acme=https://moved.example/keys", ...CACHE);
  deepEqual([moved.status, moved.stdout], [1, "acme: nothing is cached\n"]);
  assertRefused(
    await command(folder, "keys", ...client(), "--cache", "sqlite:nowhere.db"),
    1,
    "store_missing",
    /nowhere\.db/,
  );
});

test("clients, cache and policy can stand in the configuration; clients of flags go before all of them", async (t) => {
  const folder = newFolder(t);
  const keys = {
    clients: { acme: provider.jwksUri(), found: { issuer: provider.issuer } },
    ...{ cache: "sqlite:configured.db", maxStaleSeconds: 3600, concurrency: 1 },
  };
  writeFileSync(join(folder, "idp-janitor.config.json"), JSON.stringify({ keys, json: true }));
  const all = JSON.parse((await command(folder, JOB)).stdout).clients;
  deepEqual(
    all.map((one: { client: string; uri: string }) => [one.client, one.uri]),
    [
      ["acme", provider.jwksUri()],
      ["found", provider.jwksUri()],
    ],
  );
  equal(Date.parse(all[0].usableUntil) - Date.parse(all[0].freshUntil), (3600 - 300) * 1000);
  const one = JSON.parse((await command(folder, JOB, "--issuer", `only=${provider.issuer}`)).stdout).clients;
  deepEqual(
    one.map(({ client }: { client: string }) => client),
    ["only"],
  );
  equal(JSON.parse((await command(folder, JOB, "--only-stale")).stdout).clients.length, 0);
});

test("what cannot be meant is refused before anybody is asked and anything is made", async (t) => {
  const folder = newFolder(t);
  writeFileSync(join(folder, "bad.json"), JSON.stringify({ keys: { clints: {} } }));
  writeFileSync(join(folder, "worse.json"), JSON.stringify({ keys: { clients: { acme: 5 } } }));
  const before = snapshot(folder);
  const asked = provider.requests.length;
  const https = "acme=https://localhost/jwks";
  const cases: readonly (readonly [code: string, words: RegExp, ...args: string[]])[] = [
    ["invalid_setting", /no client is given/, ...CACHE],
    ["invalid_setting", /no cache is given/, "--client", https],
    ["invalid_setting", /must be `KEY=URL`, not `acme`/, "--client", "acme", ...CACHE],
    ["invalid_setting", /must be `KEY=URL`, not `acme=`/, "--client", "acme=", ...CACHE],
    ["invalid_setting", /names `acme` twice/, "--client", https, "--client", https, ...CACHE],
    ["invalid_setting", /providers\.acme\.jwksUri.*https:/, "--client", "acme=http://localhost/", ...CACHE],
    ["invalid_setting", /providers\.acme\.jwksUri/, "--client", "acme=localhost", ...CACHE],
    ["invalid_setting", /providers\.acme\.jwksUri/, "--client", "acme=https://u:p@localhost/", ...CACHE],
    ["invalid_setting", /key of a provider/, "--client", "a b=https://localhost/", ...CACHE],
    ["invalid_setting", /from 1 to 600/, "--client", https, ...CACHE, "--timeout-seconds", "0"],
    ["invalid_setting", /must be a number/, "--client", https, ...CACHE, "--timeout-seconds", "soon"],
    ["invalid_setting", /is no cache that is known/, "--client", https, "--cache", "memcached://localhost"],
    ["invalid_setting", /needs `--database`/, "--client", https, "--cache", "django-db:django_cache"],
    ["invalid_setting", /`plain` or `django`/, "--client", https, ...CACHE, "--cache-layout", "rails"],
    ["invalid_setting", /they need its layout/, "--client", https, ...CACHE, "--cache-prefix", "x"],
    ["unknown_setting", /did you mean `clients`/, "--config", "bad.json", ...CACHE],
    ["invalid_setting", /`acme` of `clients`/, "--config", "worse.json", ...CACHE],
    ["unknown_setting", /did you mean `--client`/, "--clients", https, ...CACHE],
  ];
  for (const [code, words, ...args] of cases) {
    assertRefused(await command(folder, JOB, ...args), 2, code, words);
  }
  deepEqual(snapshot(folder), before);
  equal(provider.requests.length, asked);
});

test("a signal ends a refresh that hangs, and the keys of before stay", async (t) => {
  const folder = newFolder(t);
  provider.respond("/hangs", set(testKey("rs256")));
  equal((await command(folder, JOB, ...client("/hangs"), ...CACHE)).status, 0);
  provider.respond("/hangs", neverAnswers());
  const child = start(folder, [JOB, ...client("/hangs"), ...CACHE], environment);
  child.stdout?.once("data", () => setTimeout(() => child.kill("SIGTERM"), 300));
  const { status, stderr } = await finished(child);
  equal(status, 1);
  match(stderr, /was aborted \[aborted\]$/m);
  match((await command(folder, "keys", ...client("/hangs"), ...CACHE)).stdout, /^acme: fresh\n/);
});
