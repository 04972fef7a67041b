// The command line reaches a real PostgreSQL, or says in one line why not.

import { deepEqual, doesNotMatch, equal, match, ok } from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import pg from "pg";
import { createAuthority } from "../../support/certificates.ts";
import type { Engine } from "../../support/engines.ts";
import { startPostgres } from "../../support/postgres.ts";
import { giveToServer, serverFolder } from "../../support/server.ts";
import { assertRefused, newFolder, type Outcome, run } from "../command.ts";
import { deadPort, startBetween, startSilence } from "./between.ts";

let engine: Engine;
/** A database with a table of sessions, which is all that one of the jobs needs. */
let url: string;
/** Where the sockets and certificates are. */
let files: ReturnType<typeof serverFolder>;

before(async () => {
  files = serverFolder("tls");
  const { ca, issue } = await createAuthority();
  // The name alone, so that by its IP address it is another.
  const { cert, key } = await issue({ names: ["localhost"], addresses: [] });
  for (const [name, text] of Object.entries({ "ca.pem": ca, "cert.pem": cert, "key.pem": key })) {
    writeFileSync(file(name), text, { mode: name === "key.pem" ? 0o600 : 0o644 });
    giveToServer(file(name));
  }
  writeFileSync(file("other.pem"), (await createAuthority()).ca);
  // Whoever runs the tests reaches the sockets, and the server does.
  chmodSync(files.folder, 0o755);
  const tls = { ssl: "on", ssl_cert_file: file("cert.pem"), ssl_key_file: file("key.pem") };
  engine = await startPostgres({ settings: { ...tls, unix_socket_directories: files.folder } });
  url = await engine.createDatabase();
  await execute(
    url,
    "CREATE TABLE django_session (session_key varchar(40) PRIMARY KEY, expire_date timestamptz NOT NULL)",
  );
});
after(async () => {
  await engine?.close();
  files?.remove();
});

const file = (name: string) => join(files.folder, name);

async function execute(address: string, sql: string): Promise<void> {
  const client = new pg.Client(address);
  await client.connect();
  await client.query(sql);
  await client.end();
}

const plan = (folder: string, address: string, env: NodeJS.ProcessEnv = {}): Promise<Outcome> =>
  run(folder, ["plan", "clearsessions", "--database", address], env);

/** Holds that the database was reached, and nothing said that a person would have to read. */
function assertReached({ status, stdout, stderr }: Outcome): void {
  deepEqual([status, stderr], [0, ""]);
  match(stdout, /^1\. django_session$/m);
}

const changed = (change: (url: URL) => void): string => {
  const other = new URL(url);
  change(other);
  return other.href;
};

describe("PostgreSQL", { concurrency: 4 }, () => {
  test("is reached by its address, by DATABASE_URL, and by the variables of libpq", async (t) => {
    const folder = newFolder(t);
    assertReached(await plan(folder, url));
    const { port, pathname } = new URL(url);
    const env = { PGHOST: "127.0.0.1", PGPORT: port, PGUSER: "janitor", PGPASSWORD: "secret" };
    assertReached(
      await run(folder, ["plan", "clearsessions"], { ...env, DATABASE_URL: `postgres://${pathname}` }),
    );
  });

  test("takes users and passwords that have to be encoded", async (t) => {
    const [user, password] = ["j@n:/ü", "p/:#%@ ?&"];
    await execute(
      engine.adminUrl(new URL(url).pathname.slice(1)),
      `CREATE ROLE "${user}" LOGIN PASSWORD '${password}'`,
    );
    const address = changed((other) =>
      Object.assign(other, { username: encodeURIComponent(user), password: encodeURIComponent(password) }),
    );
    const outcome = await run(newFolder(t), ["doctor", "--database", address]);
    match(outcome.stdout, /^server +PostgreSQL \d/);
  });

  test("finds the password in the file of passwords, and says nothing of it", async (t) => {
    const folder = newFolder(t);
    const { port } = new URL(url);
    const path = join(folder, "passwords");
    writeFileSync(path, `127.0.0.1:${port}:*:janitor:secret\n`, { mode: 0o600 });
    const address = changed((other) => Object.assign(other, { password: "" }));
    assertReached(await plan(folder, address, { PGPASSFILE: path }));
    const without = await plan(folder, address, { PGPASSFILE: join(folder, "none") });
    assertRefused(without, 1, "store_denied", /asks for a password, and none is given; nothing was changed/);
  });

  test("is reached by a Unix socket, where TLS is not asked for", async (t) => {
    const { port, pathname } = new URL(url);
    const host = encodeURIComponent(files.folder);
    const address = `postgres://janitor:secret@:${port}${pathname}?host=${host}&sslmode=verify-full`;
    assertReached(await plan(newFolder(t), address));
    assertReached(await plan(newFolder(t), `postgres://janitor:secret@${host}:${port}${pathname}`));
    const nowhere = await plan(
      newFolder(t),
      `postgres://janitor:secret@/idp?host=${encodeURIComponent(newFolder(t))}`,
    );
    assertRefused(nowhere, 1, "store_unavailable", /ENOENT/);
  });

  test("tables of another schema are found by search_path", async (t) => {
    await execute(
      url,
      "CREATE SCHEMA app; CREATE TABLE app.django_session (session_key varchar(40) PRIMARY KEY, expire_date timestamptz NOT NULL, of_app int)",
    );
    const outcome = await plan(newFolder(t), `${url}?options=-c search_path=app`);
    assertReached(outcome);
    match(outcome.stdout, / FROM app\.django_session/);
    doesNotMatch((await plan(newFolder(t), url)).stdout, / app\./);
  });

  describe("that does not let us in", { concurrency: 4 }, () => {
    test("for a wrong password", async (t) => {
      const outcome = await plan(
        newFolder(t),
        changed((other) => Object.assign(other, { password: "sEcret" })),
      );
      assertRefused(
        outcome,
        1,
        "store_denied",
        /`postgres:\/\/127\.0\.0\.1:\d+\/test_1` cannot be opened: .*janitor/,
      );
      match(outcome.stderr, /; nothing was changed \[/);
      doesNotMatch(outcome.stderr, /sEcret/);
    });

    test("for a database that is not there", async (t) => {
      const outcome = await plan(newFolder(t), engine.url("nowhere"));
      assertRefused(outcome, 1, "store_missing", /\/nowhere` cannot be opened: .*; nothing was changed \[/);
    });

    test("for it is not there itself", async (t) => {
      const port = await deadPort();
      const outcome = await plan(newFolder(t), `postgres://u:sEcret@127.0.0.1:${port}/idp`);
      assertRefused(outcome, 1, "store_unavailable", /ECONNREFUSED.*; nothing was changed \[/);
      doesNotMatch(outcome.stderr, /sEcret/);
    });

    test("for it says nothing: it is given up on after ten seconds", async (t) => {
      const port = await startSilence(t);
      const began = performance.now();
      const outcome = await plan(newFolder(t), `postgres://u:sEcret@127.0.0.1:${port}/idp`);
      const seconds = (performance.now() - began) / 1000;
      assertRefused(outcome, 1, "store_unavailable", /timeout.*; nothing was changed \[/);
      ok(seconds > 9 && seconds < 25, `${seconds} s`);
      const sooner = await plan(newFolder(t), `postgres://u@127.0.0.1:${port}/idp?connect_timeout=1`);
      assertRefused(sooner, 1, "store_unavailable", /timeout/);
    });
  });

  test("by TLS is held against the authority and the name that are given", async (t) => {
    const byName = changed((other) => Object.assign(other, { hostname: "localhost" }));
    const right = `sslrootcert=${encodeURIComponent(file("ca.pem"))}`;
    const other = `sslrootcert=${encodeURIComponent(file("other.pem"))}`;
    for (const mode of ["verify-full", "verify-ca", "require", "no-verify"]) {
      assertReached(await plan(newFolder(t), `${byName}?sslmode=${mode}&${right}`));
    }
    assertReached(await plan(newFolder(t), `${byName}?sslmode=no-verify`));
    assertReached(await plan(newFolder(t), `${byName}?sslmode=require&uselibpqcompat=true`));
    const refused: readonly (readonly [address: string, words: RegExp])[] = [
      [
        `${byName}?sslmode=verify-full&${other}`,
        /file that `sslrootcert` names holds no authority .*; nothing/,
      ],
      [`${byName}?sslmode=verify-full`, /`sslrootcert=FILE` names the authority to trust; nothing/],
      [`${byName}?sslmode=require`, /`sslrootcert=FILE`/],
      [`${url}?sslmode=verify-full&${right}`, /127\.0\.0\.1 is not in the cert's list/],
      [`${url}?sslmode=verify-ca&${right}`, /is not in the cert's list/],
      [`${url}?sslmode=verify-ca&uselibpqcompat=true&${other}`, /the file that `sslrootcert` names/],
    ];
    for (const [address, words] of refused) {
      assertRefused(await plan(newFolder(t), address), 1, "store_unavailable", words);
    }
    assertReached(await plan(newFolder(t), `${url}?sslmode=verify-ca&uselibpqcompat=true&${right}`));
  });

  test("knows us by name, and reads alone for whoever is to change nothing", async (t) => {
    const said: string[] = [];
    const port = await startBetween(t, engine.port, {
      onData: (data, _client, at) => {
        if (at === 0) said.push(data.toString("latin1").replaceAll("\0", " "));
        return data;
      },
    });
    const between = changed((other) => Object.assign(other, { port }));
    const startup = async (...args: string[]) => {
      said.length = 0;
      await run(newFolder(t), args);
      ok(said.length > 0);
      return said;
    };
    for (const args of [["plan", "clearsessions"], ["doctor"], ["clearsessions", "--dry-run"]]) {
      const packets = await startup(...args, "--database", between);
      // The doctor asks on one connection besides whether a job could write.
      if (args[0] === "doctor")
        packets.splice(
          packets.findIndex((packet) => !packet.includes("options")),
          1,
        );
      ok(packets.length > 0);
      for (const packet of packets) {
        match(packet, /application_name idp-janitor /);
        match(packet, /options -c default_transaction_read_only=on /);
      }
    }
    const named = `${between}?application_name=nightly&options=-c search_path=app`;
    for (const packet of await startup("plan", "clearsessions", "--database", named)) {
      match(packet, /application_name nightly /);
      match(packet, /options -c search_path=app -c default_transaction_read_only=on /);
    }
    for (const packet of await startup("clearsessions", "--database", between)) {
      doesNotMatch(packet, /options/);
    }
  });

  test("behind a pooler that takes no options is read all the same", async (t) => {
    const refusal = pgError("08P01", "unsupported startup parameter: options");
    let refused = 0;
    const port = await startBetween(t, engine.port, {
      onData: (data, client, at) => {
        if (at > 0 || !data.includes("options\0")) return data;
        refused += 1;
        client.end(refusal);
        return "drop";
      },
    });
    const between = changed((other) => Object.assign(other, { port }));
    assertReached(await plan(newFolder(t), between));
    equal(refused, 1);
    // One that is told of is not tried first.
    assertReached(await plan(newFolder(t), `${between}?pgbouncer=true`));
    equal(refused, 1);
    const own = await plan(newFolder(t), `${between}?options=-c search_path=app`);
    assertRefused(own, 1, "store_unavailable", /unsupported startup parameter/);
  });

  test("that says no goodbye keeps nobody", async (t) => {
    const port = await startBetween(t, engine.port, {
      // Terminate.
      onData: (data) => (data[0] === 0x58 ? "drop" : data),
    });
    const began = performance.now();
    assertReached(
      await plan(
        newFolder(t),
        changed((other) => Object.assign(other, { port })),
      ),
    );
    const seconds = (performance.now() - began) / 1000;
    ok(seconds > 4 && seconds < 15, `${seconds} s`);
  });
});

/** An ErrorResponse of the protocol. */
function pgError(state: string, message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${state}\0M${message}\0\0`);
  const head = Buffer.alloc(5);
  head.write("E");
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}
