// What addresses of databases mean, and what is refused of them. None of these is reached.

import { deepEqual, doesNotMatch, equal, match, ok, rejects } from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { JanitorError } from "idp-janitor";
import { addressOf, openStore } from "../../../pkg/cli/open-store.js";
import { withoutSecrets } from "../../../pkg/cli/secrets.js";
import { mysqlTls } from "../../../pkg/cli/stores/mysql-tls.js";
import { parseMysqlUrl } from "../../../pkg/cli/stores/mysql-url.js";
import { postgresTls } from "../../../pkg/cli/stores/postgres-tls.js";
import { parsePostgresUrl } from "../../../pkg/cli/stores/postgres-url.js";
import { createAuthority } from "../../support/certificates.ts";
import { newFolder } from "../command.ts";

const ME = userInfo().username;

// The variables of libpq are for each test to set.
for (const name of Object.keys(process.env)) if (/^PG[A-Z]+$/.test(name)) delete process.env[name];

/** An address, and what becomes of it without credentials. */
const ADDRESSES: readonly (readonly [url: string, address: string])[] = [
  ["postgres://u:sEcret@db.example:6432/idp", "postgres://db.example:6432/idp"],
  ["postgres://db.example/idp", "postgres://db.example:5432/idp"],
  ["postgresql://DB.Example:5432/idp?sslmode=require&application_name=x", "postgres://db.example:5432/idp"],
  ["POSTGRES:///idp", "postgres://localhost:5432/idp"],
  ["postgres://u@/idp", "postgres://localhost:5432/idp"],
  ["postgres://u:sEcret@[2001:DB8::1]/idp", "postgres://[2001:db8::1]:5432/idp"],
  ["postgres:///idp?host=/run/Postgres&port=5433", "postgres://%2Frun%2FPostgres:5433/idp"],
  ["postgres://%2Frun%2FPostgres/idp", "postgres://%2Frun%2FPostgres:5432/idp"],
  ["postgres://h/a%2Fb%20c", "postgres://h:5432/a%2Fb%20c"],
  // Tables of another schema are others, and may be declared alike.
  ["postgres://h/idp?options=-c search_path=app", "postgres://h:5432/idp?search_path=app"],
  [
    "postgres://h/idp?options=-c%20search_path%3Dapp,public",
    "postgres://h:5432/idp?search_path=app%2Cpublic",
  ],
  ["postgres://h/idp?options=--search-path=a -csearch_path=b", "postgres://h:5432/idp?search_path=b"],
  ["postgres://h/idp?options=-c statement_timeout=5s", "postgres://h:5432/idp"],
  ["mysql://u:sEcret@db.example:3307/idp", "mysql://db.example:3307/idp"],
  ["mariadb://db.example/idp?ssl-mode=REQUIRED", "mysql://db.example:3306/idp"],
  ["mysql:///idp?socketPath=/run/Mysqld/sock", "mysql://%2Frun%2FMysqld%2Fsock/idp"],
  ["mysql:///idp?unix_socket=/run/sock", "mysql://%2Frun%2Fsock/idp"],
  ["libsql://idp.example?authToken=sEcret", "libsql://idp.example:443"],
  ["https://IDP.example/?authToken=sEcret", "libsql://idp.example:443"],
  ["wss://idp.example:444", "libsql://idp.example:444"],
  ["libsql://localhost:8080?tls=0", "libsql://localhost:8080"],
  ["http://localhost/one", "libsql://localhost:80/one"],
];

describe("the address that tells a database from others", () => {
  for (const [url, address] of ADDRESSES) {
    test(url, async () => equal(await addressOf(url), address));
  }
});

test("of PostgreSQL, what the address leaves open is as the variables of libpq have it", () => {
  const parse = (url: string, env: NodeJS.ProcessEnv = {}) => {
    const { options: _options, ...rest } = parsePostgresUrl(url, env);
    return rest;
  };
  const local = { host: "localhost", port: 5432, database: "idp", pooled: false };
  deepEqual(parse("postgres:///idp"), { ...local, user: ME });
  deepEqual(parse("postgres://j%40n:p%2F%3A%23%25@/idp"), { ...local, user: "j@n", password: "p/:#%" });
  // What is not encoded is taken as it is meant where there is only one meaning.
  deepEqual(parse("postgres://j@corp:p:a@s@h/idp"), {
    ...local,
    host: "h",
    user: "j@corp",
    password: "p:a@s",
  });
  const env = {
    PGHOST: "/run/pg",
    PGPORT: "6000",
    PGDATABASE: "d",
    PGUSER: "e",
    PGOPTIONS: "-c search_path=s",
  };
  deepEqual(parse("postgres://", env), {
    ...{ host: "/run/pg", port: 6000, database: "d", user: "e", startup: "-c search_path=s", pooled: false },
  });
  const url = "postgres://u:p@h:1/idp?user=v&password=q&host=i&port=2&options=-c x=y&pgbouncer=true";
  deepEqual(parse(url, env), {
    ...{ host: "i", port: 2, database: "idp", user: "v", password: "q", startup: "-c x=y", pooled: true },
  });
  // The driver looks for it, in PGPASSWORD and in the file of passwords.
  equal(parse("postgres://u:@h/idp", { PGPASSWORD: "p" }).password, undefined);
});

test("of MySQL, users, passwords and names may be encoded", () => {
  const { options, ...rest } = parseMysqlUrl(
    "mysql://j%40n:p%2F%3A%23%25@h:1/a%20b?SSL_MODE=required&charset=utf8mb4",
  );
  deepEqual(rest, { host: "h", port: 1, user: "j@n", password: "p/:#%", database: "a b" });
  equal(options.get("ssl-mode"), "required");
  equal(parseMysqlUrl("mysql://h/idp").user, ME);
});

const H = "postgres://u:sEcret@h";
const M = "mysql://u:sEcret@h";

/** Addresses that cannot be meant, and words that the message must have. */
const REFUSED: readonly (readonly [url: string, words: RegExp])[] = [
  ["", /does not say what kind.*`sqlite:PATH`/],
  ["//u:sEcret@h/idp", /does not say what kind.*`postgres:\/\/HOST\/NAME`/],
  ["u:sEcret@h/idp", /`u:` is no kind of database/],
  ["constructor:x", /is no kind of database/],
  ["postgre://u:sEcret@h/idp", /`postgre:` is no kind.*did you mean `postgres`.*`mysql:\/\/HOST\/NAME`/],
  ["sqlite:", /names no file/],
  ["postgres:idp", /not well formed.*write `postgres:\/\/USER:PASSWORD@HOST:5432\/NAME`/],
  [H, /names no database/],
  [`${H}/`, /names no database/],
  [`${H}:/`, /names no database/],
  [`${H}:0/idp`, /port that is no number from 1 to 65535/],
  [`${H}:65536/idp`, /port/],
  [`${H}:54 32/idp`, /port/],
  [`${H}/idp?port=x`, /port/],
  [`${H},i/idp`, /several hosts/],
  [`${H}/idp?host=h,i`, /several hosts/],
  [`${H}/idp#x`, /not well formed/],
  [`${H}/%zz`, /begins no encoded character.*%25/],
  ["postgres://u:sEcret%@h/idp", /begins no encoded character/],
  ["postgres://u:sEcret/1@h/idp", /`\/`.*%2F/],
  ["postgres://u:sEcret#1@h/idp", /%23/],
  ["postgres://u:sEcret?1@h/idp", /port.*%3F/],
  ["postgres://u:1?sEcret.@h/idp", /an option is not known/],
  [`${H}/idp/more`, /name of the database.*%2F/],
  [`${H}/idp?sslmod=require`, /`sslmod` .*not known \(did you mean `sslmode`/],
  [`${H}/idp?schema=app`, /`schema`.*write `options=-c search_path=SCHEMA`/],
  [`${H}/idp?sslmode=require&sslmode=disable`, /`sslmode` .*twice/],
  [`${H}/idp?sslmode=verify_full`, /one of disable, require, .*did you mean `verify-full`/],
  [`${H}/idp?sslmode=prefer`, /without TLS.*`sslmode=require` or `sslmode=disable`/],
  [`${H}/idp?ssl=yes`, /`ssl`/],
  [`${H}/idp?sslmode=verify-ca&uselibpqcompat=true`, /name the file of the authority/],
  [`${H}/idp?sslrootcert=none.pem`, /`sslrootcert` .*`none\.pem`, which cannot be read: no such file/],
  [`${H}/idp?sslcert=none.pem`, /none\.pem/],
  [`${H}/idp?sslnegotiation=fast`, /postgres or direct/],
  [`${H}/idp?connect_timeout=soon`, /`connect_timeout` .*whole number/],
  [`${H}/idp?connect_timeout=0`, /`connect_timeout` .*from 1 to 60 seconds/],
  [`${H}/idp?statement_timeout=5s`, /`statement_timeout` .*whole number/],
  [`${H}/idp?pgbouncer=1`, /`pgbouncer` .*true or false/],
  [M, /names no database.*write `mysql:\/\/USER:PASSWORD@HOST:3306\/NAME`/],
  [`${M}:x/idp`, /port/],
  [`${M}/idp?charset=latin1`, /utf8mb4/],
  [`${M}/idp?ssl-mode=VERIFY`, /one of DISABLED, REQUIRED, VERIFY_CA, VERIFY_IDENTITY/],
  [`${M}/idp?ssl-mode=PREFERRED`, /`ssl-mode=REQUIRED`/],
  [`${M}/idp?ssl-mode=VERIFY_CA`, /`ssl-ca`/],
  [`${M}/idp?ssl=maybe`, /`ssl` .*true or false/],
  [`${M}/idp?ssl={"ca":"x"}`, /rejectUnauthorized/],
  [`${M}/idp?ssl-cert=a.pem`, /add `ssl-mode`/],
  [`${M}/idp?ssl-ca=none.pem`, /`ssl-ca` .*`none\.pem`, which cannot be read/],
  ["mysql://u:sEcret@127.0.0.1/idp?ssl=true", /no certificate of an IP address/],
  ["libsql:file.db", /not well formed.*libsql:\/\/HOST/],
  ["libsql://?authToken=sEcret", /names no host/],
  ["libsql://u:sEcret@h", /which libSQL has not/],
  ["libsql://h?authToken=sEcret&tls=no", /`tls` .*0 or 1/],
  ["libsql://h?authToken=sEcret&tls=0", /names no port/],
  ["https://h?authToken=sEcret&tls=0", /`tls=0`, which it is not/],
  ["libsql://h?token=sEcret", /`token` .*not known/],
];

describe("what cannot be meant is refused, and never repeated with its secrets", () => {
  for (const [url, words] of REFUSED) {
    test(url || "(nothing)", async () => {
      await rejects(openStore(url, { readOnly: true }), (error: unknown) => {
        ok(error instanceof JanitorError, String(error));
        equal(error.code, "invalid_setting");
        match(error.message, words);
        doesNotMatch(error.message, /sEcret|\n/);
        return true;
      });
    });
  }
});

test("what is shown of an address has no secrets, well formed or not", () => {
  for (const url of ["x://u:sEcret@h", "u:sEcret@h", "x://u:sEc@ret@h/d?p=sEcret", "x:y?authToken=sEcret"]) {
    doesNotMatch(withoutSecrets(url), /sEc|ret/);
  }
  equal(withoutSecrets("x://u:sEcret@h/d"), "x://***@h/d");
  equal(withoutSecrets("redis://h:1/0"), "redis://h:1/0");
});

describe("TLS", () => {
  const of = (query: string) => new Map(new URLSearchParams(query));
  const verified = { rejectUnauthorized: true, verifyIdentity: true };

  test("of PostgreSQL is asked for as pg 8 does, and by libpq's meaning where that is wanted", async (t) => {
    const ca = join(newFolder(t), "ca.pem");
    writeFileSync(ca, (await createAuthority()).ca);
    const tls = async (query: string) => {
      const made = await postgresTls(of(query.replace("FILE", encodeURIComponent(ca))));
      if (typeof made !== "object") return made;
      const { ca: authority, checkServerIdentity, ...rest } = made;
      return { ...rest, ...(authority && { ca: true }), ...(checkServerIdentity && { anyName: true }) };
    };
    for (const mode of ["sslmode=require", "sslmode=verify-ca", "sslmode=verify-full", "ssl=true"]) {
      deepEqual(await tls(mode), {}, mode);
      deepEqual(await tls(`${mode}&sslrootcert=FILE`), { ca: true }, mode);
    }
    deepEqual(await tls("sslrootcert=FILE"), { ca: true });
    deepEqual(await tls("sslmode=verify-full&sslrootcert=system"), {});
    deepEqual(await tls("sslmode=no-verify"), { rejectUnauthorized: false });
    equal(await tls("sslmode=disable&sslrootcert=FILE"), false);
    equal(await tls("ssl=0"), false);
    equal(await tls("application_name=x"), undefined);
    deepEqual(await tls("uselibpqcompat=true&sslmode=require"), { rejectUnauthorized: false });
    deepEqual(await tls("uselibpqcompat=true&sslmode=require&sslrootcert=FILE"), { ca: true, anyName: true });
    deepEqual(await tls("uselibpqcompat=true&sslmode=verify-ca&sslrootcert=FILE"), {
      ca: true,
      anyName: true,
    });
    deepEqual(await tls("uselibpqcompat=true&sslmode=verify-full&sslrootcert=FILE"), { ca: true });
  });

  test("of MySQL is asked for in the words of its own client", async (t) => {
    const ca = join(newFolder(t), "ca.pem");
    const text = (await createAuthority()).ca;
    writeFileSync(ca, text);
    const tls = (query: string, host = "h") =>
      mysqlTls(of(query.replace("FILE", encodeURIComponent(ca))), host);
    equal(await tls(""), undefined);
    equal(await tls("ssl=false"), undefined);
    equal(await tls("ssl-mode=DISABLED"), undefined);
    deepEqual(await tls("ssl-mode=REQUIRED"), { rejectUnauthorized: false });
    deepEqual(await tls("ssl-mode=required&ssl-ca=FILE"), { rejectUnauthorized: false, ca: text });
    const byAuthority = { rejectUnauthorized: true, verifyIdentity: false, ca: text };
    deepEqual(await tls("ssl-ca=FILE"), byAuthority);
    deepEqual(await tls("ssl-mode=VERIFY_CA&ssl-ca=FILE", "127.0.0.1"), byAuthority);
    deepEqual(await tls("ssl=true"), verified);
    deepEqual(await tls("ssl-mode=verify-identity&ssl-ca=FILE"), { ...verified, ca: text });
    deepEqual(await tls('ssl={"rejectUnauthorized":true}'), { rejectUnauthorized: true });
  });

  test("takes no file for a certificate or key that is none", async (t) => {
    const folder = newFolder(t);
    const file = (name: string, text: string) => {
      writeFileSync(join(folder, name), text);
      return encodeURIComponent(join(folder, name));
    };
    const { ca, issue } = await createAuthority();
    const [one, other] = [await issue(), await issue()];
    const [cert, key] = [file("cert.pem", one.cert), file("key.pem", one.key)];
    const [rest, text] = [file("other.pem", other.key), file("text.pem", "no certificate")];
    deepEqual(await postgresTls(of(`sslmode=require&sslcert=${cert}&sslkey=${key}`)), {
      cert: one.cert,
      key: one.key,
    });
    for (const [query, words] of [
      [`sslrootcert=${text}`, /`sslrootcert` .*text\.pem`, which is of no use/],
      [`sslcert=${text}&sslkey=${key}`, /`sslcert` .*of no use/],
      [`sslcert=${cert}&sslkey=${text}`, /`sslkey` .*of no use/],
      [`sslcert=${cert}&sslkey=${rest}`, /`sslkey` .*of no use: .*mismatch/],
      [`sslcert=${cert}`, /`sslcert` .*needs `sslkey`/],
      [`sslkey=${key}`, /`sslkey` .*needs `sslcert`/],
      [`sslrootcert=${encodeURIComponent(folder)}`, /cannot be read/],
    ] as const) {
      await rejects(postgresTls(of(query)), (error: JanitorError) => {
        equal(error.code, "invalid_setting");
        match(error.message, words);
        return true;
      });
    }
    ok(ca.includes("CERTIFICATE"));
  });
});
