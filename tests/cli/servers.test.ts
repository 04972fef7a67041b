// Jobs from the command line on real database servers, from the address to the rows that are left.

import { deepEqual, doesNotMatch, equal, match, ok } from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createConnection } from "mysql2/promise";
import pg from "pg";
import type { Engine } from "../support/engines.ts";
import { startMariadb } from "../support/mariadb.ts";
import { startPostgres } from "../support/postgres.ts";
import { assertRefused, finished, NOW, newFolder, run, start } from "./command.ts";
import { startBetween } from "./stores/between.ts";

const ACCOUNTS = "remove_stale_unverified_accounts";
const STALE = "2026-01-01 00:00:00";
const FRESH = "2026-05-20 00:00:00";
/** How many accounts there are; every other one is stale, and every third of those has a request. */
const USERS = 1200;

/** A kind of server, and how its SQL differs. */
interface Server {
  readonly name: string;
  start(): Promise<Engine>;
  /** Runs statements, and gives the rows of the last one. */
  execute(url: string, ...statements: string[]): Promise<unknown[]>;
  readonly uuid: string;
  readonly instant: string;
  /** Makes a role without rights. */
  readonly newRole: (name: string) => string;
  /** A statement of an administrator after which nobody can write to a database. */
  readonly readOnly: (database: string) => string;
  /** What has been sent when the first slice has. */
  readonly slice: RegExp;
  /** Statements after which a job has something to warn of, and the warning. */
  readonly warned: readonly string[];
  readonly warning: RegExp;
}

const SERVERS: readonly Server[] = [
  {
    name: "PostgreSQL",
    start: () => startPostgres(),
    async execute(url, ...statements) {
      const client = new pg.Client(url);
      await client.connect();
      try {
        let rows: unknown[] = [];
        for (const sql of statements) rows = (await client.query({ text: sql, rowMode: "array" })).rows;
        return rows;
      } finally {
        await client.end();
      }
    },
    uuid: "uuid",
    instant: "timestamptz",
    newRole: (name) => `CREATE ROLE ${name} LOGIN PASSWORD 'secret'`,
    readOnly: (database) => `ALTER DATABASE "${database}" SET default_transaction_read_only = on`,
    slice: /idp_janitor_locked/,
    warned: [
      "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
      "CREATE TRIGGER keeper BEFORE DELETE ON people_user FOR EACH ROW EXECUTE FUNCTION keep()",
    ],
    warning: /^warning: `people_user` has a trigger `keeper`/m,
  },
  {
    name: "MariaDB",
    start: () => startMariadb(),
    async execute(url, ...statements) {
      const connection = await createConnection({ uri: url, rowsAsArray: true });
      try {
        let rows: unknown = [];
        for (const sql of statements) [rows] = await connection.query(sql);
        return Array.isArray(rows) ? rows : [];
      } finally {
        await connection.end();
      }
    },
    uuid: "char(32)",
    instant: "datetime(6)",
    newRole: (name) => `CREATE USER ${name} IDENTIFIED BY 'secret'`,
    readOnly: () => "SET GLOBAL read_only = ON",
    slice: /DELETE t FROM.*COMMIT/s,
    warned: [],
    warning: /^warning: the role may not read every table of the database/m,
  },
];

/** The tables of HIdP that the job of accounts needs, with accounts in them. */
function schema({ uuid, instant }: Server): string[] {
  const id = (at: number) => `'${String(at).padStart(32, "0")}'`;
  const users = Array.from({ length: USERS }, (_, at) => `(${id(at)}, NULL, '${at % 2 ? STALE : FRESH}')`);
  const owners = Array.from({ length: USERS }, (_, at) => at).filter((at) => at % 3 === 0);
  return [
    `CREATE TABLE people_user (id ${uuid} PRIMARY KEY, email_verified ${instant} NULL, date_joined ${instant} NOT NULL)`,
    `CREATE TABLE hidp_accounts_emailchangerequest (id ${uuid} PRIMARY KEY, confirmed_by_current_email bool NOT NULL,
      confirmed_by_proposed_email bool NOT NULL, created_at ${instant} NOT NULL, user_id ${uuid} NOT NULL,
      CONSTRAINT of_user FOREIGN KEY (user_id) REFERENCES people_user (id))`,
    "CREATE INDEX of_user ON hidp_accounts_emailchangerequest (user_id)",
    `INSERT INTO people_user VALUES ${users.join()}`,
    `INSERT INTO hidp_accounts_emailchangerequest VALUES ${owners.map((at) => `(${id(at)}, false, false, '${FRESH}', ${id(at)})`).join()}`,
  ];
}

const GONE = { people_user: USERS / 2, hidp_accounts_emailchangerequest: USERS / 6 };

describe("jobs", { concurrency: 2 }, () => {
  for (const server of SERVERS) {
    describe(server.name, { concurrency: 2 }, () => {
      let engine: Engine;
      before(async () => {
        engine = await server.start();
      });
      after(() => engine?.close());

      /** A new database with accounts in it. */
      async function newUrl(): Promise<string> {
        const url = await engine.createDatabase();
        await server.execute(url, ...schema(server));
        return url;
      }

      async function left(url: string): Promise<number[]> {
        const count = "SELECT count(*) FROM";
        const [users] = (await server.execute(url, `${count} people_user`)) as number[][];
        const [requests] = (await server.execute(
          url,
          `${count} hidp_accounts_emailchangerequest`,
        )) as number[][];
        return [Number(users?.[0]), Number(requests?.[0])];
      }
      const ALL = [USERS, USERS / 3];
      const REST = [USERS / 2, USERS / 6];

      test("a dry run says what a real run then does", async (t) => {
        const [url, folder] = [await newUrl(), newFolder(t)];
        const args = [ACCOUNTS, "--database", url, "--now", NOW];
        const dry = await run(folder, [...args, "--dry-run", "--json"]);
        deepEqual([dry.status, dry.stderr], [0, ""]);
        deepEqual(JSON.parse(dry.stdout).wouldRemove, GONE);
        deepEqual(await left(url), ALL);

        const real = await run(folder, args);
        deepEqual([real.status, real.stderr], [0, ""]);
        match(
          real.stdout,
          new RegExp(`^Successfully removed ${USERS / 2} unverified account\\(s\\)\\.$`, "m"),
        );
        deepEqual(await left(url), REST);
        const again = JSON.parse((await run(folder, [...args, "--json"])).stdout);
        deepEqual([again.selected, again.removed], [0, {}]);
      });

      test("several slices at the same time remove the same, also in bounded runs with a checkpoint", async (t) => {
        const [url, folder] = [await newUrl(), newFolder(t)];
        const args = [ACCOUNTS, "--database", url, "--now", NOW, "--json", "--concurrency", "4"];
        const { port, pathname } = new URL(url);
        let removed = 0;
        let runs = 0;
        for (let status: number | null = 75; status === 75; runs++) {
          ok(runs < 50);
          const bounds = ["--max-rows", "250", "--checkpoint", "at.json", "--slice-ms", "5"];
          const outcome = await run(folder, [...args, ...bounds]);
          status = outcome.status;
          equal(outcome.stderr, "");
          removed += JSON.parse(outcome.stdout).removed.people_user ?? 0;
          equal(existsSync(join(folder, "at.json")), status === 75);
          if (status !== 75) break;
          const { database } = JSON.parse(readFileSync(join(folder, "at.json"), "utf8"));
          equal(database, `${new URL(url).protocol}//127.0.0.1:${port}${pathname}`);
        }
        ok(runs > 0);
        equal(removed, USERS / 2);
        deepEqual(await left(url), REST);
        deepEqual(readdirSync(folder), []);
      });

      test("a second run at the same time is refused, and is to be tried again", async (t) => {
        const [url, folder] = [await newUrl(), newFolder(t)];
        const args = [ACCOUNTS, "--database", url, "--now", NOW];
        const first = start(folder, [
          ...args,
          "--pause-ms",
          "4000",
          "--slice-ms",
          "1",
          "--max-seconds",
          "30",
        ]);
        const outcome = finished(first);
        await new Promise((resolve) => first.stdout?.once("data", resolve));
        const second = await run(folder, args);
        assertRefused(second, 75, "store_leased", /nothing was changed/);
        first.kill("SIGTERM");
        ok([0, 75].includes((await outcome).status ?? -1));
        equal((await run(folder, args)).status, 0);
        deepEqual(await left(url), REST);
      });

      test("a server that goes away ends the run with 1, and what was done before is told", async (t) => {
        const gone = await server.start();
        t.after(() => gone.close());
        const url = await gone.createDatabase();
        await server.execute(url, ...schema(server));
        const args = [ACCOUNTS, "--database", url, "--now", NOW];
        const child = start(newFolder(t), [...args, "--pause-ms", "1000", "--slice-ms", "1"]);
        const outcome = finished(child);
        await new Promise((resolve) => child.stdout?.once("data", resolve));
        await gone.close();
        const { status, stdout, stderr } = await outcome;
        equal(status, 1);
        match(stdout, /^ {2}people_user +\d+$/m);
        // Whether a slice was in hand is for chance to say.
        match(
          stderr,
          /^(warning: the connection was lost during [^\n]+\n)?idp-janitor: [^\n]+ \[store_unavailable\]\n$/,
        );
      });

      test("of a slice whose answer was lost nobody says that nothing was changed", async (t) => {
        const url = await newUrl();
        let [sent, isGone] = ["", false];
        const port = await startBetween(t, engine.port, {
          onData(data, client, at) {
            if (isGone && at === 0) client.destroy();
            sent += data.toString("latin1");
            // The server has all of it, and nobody is there to be answered.
            if (!isGone && server.slice.test(sent)) setImmediate(() => client.destroy());
            isGone ||= server.slice.test(sent);
            return data;
          },
        });
        const between = Object.assign(new URL(url), { port: String(port) }).href;
        const outcome = await run(newFolder(t), [ACCOUNTS, "--database", between, "--now", NOW, "--json"]);
        equal(outcome.status, 1);
        match(
          outcome.stderr,
          new RegExp(`^idp-janitor: ${ACCOUNTS} on .*; 0 slice.* of 1 more all was changed or nothing`, "m"),
        );
        doesNotMatch(outcome.stderr, /nothing was changed/);
        deepEqual(JSON.parse(outcome.stdout).report.uncertain, 1);
        const [users = 0] = await left(url);
        ok(users < USERS, `${users} left`);
      });

      test("what explains a failure is told with it", async (t) => {
        const url = await newUrl();
        const role = `writer_${new URL(url).pathname.slice(1)}`;
        const grants = Object.keys(GONE).map((table) => `GRANT SELECT ON ${table} TO ${role}`);
        const admin = engine.adminUrl(new URL(url).pathname.slice(1));
        await server.execute(admin, server.newRole(role), ...grants, ...server.warned);
        const writer = Object.assign(new URL(url), { username: role }).href;
        const outcome = await run(newFolder(t), [
          ACCOUNTS,
          "--database",
          writer,
          "--now",
          NOW,
          "--user-table",
          "people_user",
        ]);
        equal(outcome.status, 1);
        match(outcome.stderr, server.warning);
        match(
          outcome.stderr,
          new RegExp(`^idp-janitor: ${ACCOUNTS} on .*; nothing was changed \\[store_denied\\]$`, "m"),
        );
        deepEqual(await left(url), ALL);
      });

      test("doctor tells that a role may not write, whatever its rights", async (t) => {
        // Of its own, for on MariaDB it is the whole server.
        const other = await server.start();
        t.after(() => other.close());
        const url = await other.createDatabase();
        await server.execute(url, ...schema(server));
        equal((await run(newFolder(t), ["doctor", "--database", url])).status, 0);
        const database = new URL(url).pathname.slice(1);
        await server.execute(other.adminUrl(database), server.readOnly(database));
        const outcome = await run(newFolder(t), ["doctor", "--database", url, "--json"]);
        equal(outcome.status, 1);
        match(outcome.stderr, /^warning: the database cannot be written to/m);
        match(JSON.parse(outcome.stdout).warnings.join(), /the database cannot be written to/);
      });

      test("doctor tells which rights a role lacks", async (t) => {
        const url = await newUrl();
        const name = new URL(url).pathname.slice(1);
        const role = `reader_${name}`;
        // MariaDB shows foreign keys to whoever may do more than read.
        const grants = Object.keys(GONE).map((table) => `GRANT SELECT, UPDATE ON ${table} TO ${role}`);
        await server.execute(engine.adminUrl(name), server.newRole(role), ...grants);
        const reader = Object.assign(new URL(url), { username: role }).href;

        const all = await run(newFolder(t), ["doctor", "--database", url]);
        deepEqual([all.status, all.stderr], [0, ""]);
        match(all.stdout, new RegExp(`^server +${server.name} \\d`));
        match(all.stdout, new RegExp(`^${ACCOUNTS}: ready$`, "m"));
        match(all.stdout, /^cleartokens: not for this database$/m);
        const some = await run(newFolder(t), ["doctor", "--database", reader]);
        deepEqual([some.status, some.stderr], [1, ""]);
        match(some.stdout, new RegExp(`^${ACCOUNTS}: NOT READY\n(  .*\n)*.*DELETE on`, "m"));
      });

      test("doctor tells a job that cannot work on its tables from one whose tables are missing", async (t) => {
        const url = await newUrl();
        const key = "FOREIGN KEY (user_id) REFERENCES people_user (id) ON DELETE CASCADE";
        await server.execute(
          url,
          `CREATE TABLE notes (id ${server.uuid} PRIMARY KEY, user_id ${server.uuid}, ${key})`,
        );
        const args = ["--database", url, "--on-delete", "notes.user_id=restrict"];
        const { status, stdout, stderr } = await run(newFolder(t), ["doctor", ...args]);
        deepEqual([status, stderr], [1, ""], stdout);
        match(stdout, new RegExp(`^${ACCOUNTS}: NOT READY\n(  .*\n)*.*notes.user_id. is to do less`, "m"));
        match(stdout, /^cleartokens: not for this database$/m);
        assertRefused(await run(newFolder(t), [ACCOUNTS, ...args]), 1, "unsupported_schema");
      });
    });
  }

  test("are done on a MariaDB whose sessions begin without autocommit, too", async (t) => {
    const [, server] = SERVERS;
    ok(server);
    const engine = await startMariadb({ settings: { autocommit: "0" } });
    t.after(() => engine.close());
    const url = await engine.createDatabase();
    await server.execute(url, ...schema(server), "COMMIT");
    const args = [ACCOUNTS, "--database", url, "--now", NOW, "--json"];
    const outcome = await run(newFolder(t), args);
    deepEqual([outcome.status, outcome.stderr], [0, ""]);
    deepEqual(JSON.parse(outcome.stdout).removed, GONE);
    const left = await server.execute(url, "SELECT CAST(count(*) AS CHAR) FROM people_user");
    deepEqual(left, [[String(USERS / 2)]]);
  });
});
