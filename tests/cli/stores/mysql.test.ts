// The command line reaches a real MariaDB, or says in one line why not.

import { deepEqual, doesNotMatch, match, ok } from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createConnection } from "mysql2/promise";
import { createAuthority } from "../../support/certificates.ts";
import type { Engine } from "../../support/engines.ts";
import { startMariadb } from "../../support/mariadb.ts";
import { giveToServer, serverFolder } from "../../support/server.ts";
import { assertRefused, newFolder, type Outcome, run } from "../command.ts";
import { deadPort, startBetween, startSilence } from "./between.ts";

let engine: Engine;
/** A database with a table of sessions, which is all that one of the jobs needs. */
let url: string;
/** Where the socket and the certificates are. */
let files: ReturnType<typeof serverFolder>;

before(async () => {
  files = serverFolder("tls");
  const { ca, issue } = await createAuthority();
  const { cert, key } = await issue();
  for (const [name, text] of Object.entries({ "ca.pem": ca, "cert.pem": cert, "key.pem": key })) {
    writeFileSync(file(name), text, { mode: name === "key.pem" ? 0o600 : 0o644 });
    giveToServer(file(name));
  }
  writeFileSync(file("other.pem"), (await createAuthority()).ca);
  chmodSync(files.folder, 0o755);
  const tls = { "ssl-cert": file("cert.pem"), "ssl-key": file("key.pem") };
  engine = await startMariadb({ settings: { ...tls, socket: file("socket") } });
  url = await engine.createDatabase();
  await execute(
    url,
    "CREATE TABLE django_session (session_key varchar(40) PRIMARY KEY, expire_date datetime(6) NOT NULL)",
  );
});
after(async () => {
  await engine?.close();
  files?.remove();
});

const file = (name: string) => join(files.folder, name);

async function execute(address: string, sql: string): Promise<void> {
  const connection = await createConnection(address);
  await connection.query(sql);
  await connection.end();
}

const plan = (folder: string, address: string, env: NodeJS.ProcessEnv = {}): Promise<Outcome> =>
  run(folder, ["plan", "clearsessions", "--database", address], env);

/** Holds that the database was reached, and nothing said that a person would have to read. */
function assertReached({ status, stdout, stderr }: Outcome): void {
  deepEqual([status, stderr], [0, ""]);
  match(stdout, /^1\. django_session$/m);
}

const changed = (change: Partial<Pick<URL, "username" | "password" | "hostname" | "port">>): string =>
  Object.assign(new URL(url), change).href;

describe("MariaDB", { concurrency: 4 }, () => {
  test("is reached by either name of its kind, and by DATABASE_URL", async (t) => {
    assertReached(await plan(newFolder(t), url));
    assertReached(await plan(newFolder(t), url.replace("mysql:", "mariadb:")));
    assertReached(await run(newFolder(t), ["plan", "clearsessions"], { DATABASE_URL: url }));
  });

  test("takes users and passwords that have to be encoded", async (t) => {
    const [username, password] = ["j@n:/ü", "p/:#%@ ?&"];
    await execute(
      engine.adminUrl("mysql"),
      `GRANT SELECT ON *.* TO '${username}' IDENTIFIED BY '${password}'`,
    );
    const encoded = { username: encodeURIComponent(username), password: encodeURIComponent(password) };
    const outcome = await run(newFolder(t), ["doctor", "--database", changed(encoded)]);
    match(outcome.stdout, /^server +MariaDB \d/);
  });

  test("is reached by its Unix socket", async (t) => {
    const socket = (path: string) => `mysql://janitor:secret@/test_1?socketPath=${encodeURIComponent(path)}`;
    assertReached(await plan(newFolder(t), socket(file("socket"))));
    assertRefused(
      await plan(newFolder(t), socket(file("none"))),
      1,
      "store_unavailable",
      /ENOENT.*; nothing/,
    );
  });

  describe("that does not let us in", { concurrency: 4 }, () => {
    test("for a wrong password", async (t) => {
      const outcome = await plan(newFolder(t), changed({ password: "sEcret" }));
      assertRefused(
        outcome,
        1,
        "store_denied",
        /`mysql:\/\/127\.0\.0\.1:\d+\/test_1` cannot be opened: .*janitor/,
      );
      match(outcome.stderr, /; nothing was changed \[/);
      doesNotMatch(outcome.stderr, /sEcret/);
    });

    test("for a database that is not there, or not for us", async (t) => {
      const outcome = await plan(newFolder(t), engine.adminUrl("nowhere"));
      assertRefused(outcome, 1, "store_missing", /\/nowhere` cannot be opened: .*; nothing was changed \[/);
      assertRefused(
        await plan(newFolder(t), engine.url("nowhere")),
        1,
        "store_denied",
        /nothing was changed/,
      );
    });

    test("for it is not there itself", async (t) => {
      const outcome = await plan(newFolder(t), `mysql://u:sEcret@127.0.0.1:${await deadPort()}/idp`);
      assertRefused(outcome, 1, "store_unavailable", /ECONNREFUSED.*; nothing was changed \[/);
      doesNotMatch(outcome.stderr, /sEcret/);
    });

    test("for it says nothing: it is given up on after ten seconds", async (t) => {
      const port = await startSilence(t);
      const began = performance.now();
      const outcome = await plan(newFolder(t), `mysql://u:sEcret@127.0.0.1:${port}/idp`);
      const seconds = (performance.now() - began) / 1000;
      assertRefused(outcome, 1, "store_unavailable", /ETIMEDOUT.*; nothing was changed \[/);
      ok(seconds > 9 && seconds < 25, `${seconds} s`);
    });
  });

  test("by TLS is held against the authority and the name that are given", async (t) => {
    const byName = changed({ hostname: "localhost" });
    const right = `ssl-ca=${encodeURIComponent(file("ca.pem"))}`;
    const other = `ssl-ca=${encodeURIComponent(file("other.pem"))}`;
    for (const query of [
      `ssl-mode=VERIFY_IDENTITY&${right}`,
      `ssl-mode=VERIFY_CA&${right}`,
      `ssl=true&${right}`,
      "ssl-mode=REQUIRED",
      'ssl={"rejectUnauthorized":false}',
    ]) {
      assertReached(await plan(newFolder(t), `${byName}?${query}`));
    }
    assertReached(await plan(newFolder(t), `${url}?ssl-mode=VERIFY_CA&${right}`));
    const wrong = /the file that `ssl-ca` names holds no authority that has signed .*; nothing/;
    const none = /`ssl-ca=FILE` names the authority to trust; nothing/;
    const refused: readonly (readonly [query: string, words: RegExp])[] = [
      [`ssl-mode=VERIFY_IDENTITY&${other}`, wrong],
      [`ssl-mode=VERIFY_CA&${other}`, wrong],
      ["ssl=true", none],
      ['ssl={"rejectUnauthorized":true}', none],
    ];
    for (const [query, words] of refused) {
      assertRefused(await plan(newFolder(t), `${byName}?${query}`), 1, "store_unavailable", words);
    }
  });

  test("knows us by name", async (t) => {
    const said: string[] = [];
    const port = await startBetween(t, engine.port, {
      onData: (data, _client, at) => {
        if (at === 0) said.push(data.toString("latin1"));
        return data;
      },
    });
    assertReached(await plan(newFolder(t), changed({ port: String(port) })));
    ok(said.length > 0);
    for (const packet of said) match(packet, /program_name.idp-janitor/s);
  });

  test("that says no goodbye keeps nobody", async (t) => {
    const port = await startBetween(t, engine.port, {
      // COM_QUIT.
      onData: (data) => (data.equals(Uint8Array.of(1, 0, 0, 0, 1)) ? "drop" : data),
    });
    const began = performance.now();
    assertReached(await plan(newFolder(t), changed({ port: String(port) })));
    const seconds = (performance.now() - began) / 1000;
    ok(seconds > 4 && seconds < 15, `${seconds} s`);
  });
});
