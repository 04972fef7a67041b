import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { before, describe, test } from "node:test";
import type { OracleOptions } from "./originals.ts";
import { compareDatabases, copyDatabase, oracle, readDatabase, seededDatabase } from "./originals.ts";

interface Run {
  command: string;
  options?: Pick<OracleOptions, "settings" | "which">;
  /** Per category of the seed, a variant that goes and one that stays; at a cutoff, the nearest there are. */
  edges: Record<string, { goes: string; stays: string }>;
}

const UNTIL_THE_CUTOFF = { goes: "just-before", stays: "exactly-at" };
const WITH_THE_CUTOFF = { goes: "exactly-at", stays: "just-after" };
const WITH_THE_OWNER = { goes: "stale-owner", stays: "live-owner" };
const REVOKED_BY_AGE = {
  "revoked-around-expire": { goes: "unbound-just-before", stays: "unbound-exactly-at" },
  "idle-revoked": UNTIL_THE_CUTOFF,
};

const RUNS: Record<string, Run> = {
  accounts: {
    command: "remove_stale_unverified_accounts",
    edges: {
      joined: { goes: "unverified-just-before", stays: "unverified-exactly-at" },
      owner: WITH_THE_OWNER,
      "on-owned-application": WITH_THE_OWNER,
      "access-on-owned-application": WITH_THE_OWNER,
      "id-on-owned-application": WITH_THE_OWNER,
      "id-of-owner": WITH_THE_OWNER,
      "source-of-owner": WITH_THE_OWNER,
      "source-on-owned-application": WITH_THE_OWNER,
      "refresh-of-owner": WITH_THE_OWNER,
      "all-of-owner": WITH_THE_OWNER,
      "device-grant": { goes: "stale-owner-just-before", stays: "live-owner-just-before" },
      "big-key-owned": WITH_THE_OWNER,
      crowd: { goes: "user", stays: "user" },
    },
  },
  "email changes": {
    command: "remove_complete_and_stale_email_change_requests",
    edges: { "email-change": { goes: "by-current-just-before", stays: "by-current-exactly-at" } },
  },
  tokens: {
    command: "cleartokens",
    edges: {
      "revoked-around-grace": { goes: "unbound-exactly-at", stays: "unbound-just-after" },
      "refresh-unbound": { goes: "unrevoked", stays: "revoked-in-grace" },
      idle: WITH_THE_CUTOFF,
      "access-expiring": UNTIL_THE_CUTOFF,
      "id-expiring": UNTIL_THE_CUTOFF,
      "grant-expiring": UNTIL_THE_CUTOFF,
      "big-key-expiring": { goes: "expired", stays: "live" },
      chain: {
        goes: "id-expired-access-expired-refresh-past-grace-source-none",
        stays: "id-expired-access-expired-refresh-in-grace-source-none",
      },
      rotated: { goes: "position-0", stays: "last" },
    },
  },
  "tokens under reuse protection": {
    command: "cleartokens",
    options: { settings: { REFRESH_TOKEN_REUSE_PROTECTION: true } },
    edges: { "revoked-around-expire": { goes: "unbound-exactly-at", stays: "unbound-just-after" } },
  },
  "tokens before 3.4": {
    command: "cleartokens",
    options: { which: "before-3.4" },
    edges: REVOKED_BY_AGE,
  },
  sessions: {
    command: "clearsessions",
    edges: { session: UNTIL_THE_CUTOFF },
  },
};

/** Where the seed writes its labels `category/variant/number`. */
const LABELS: Record<string, string> = {
  people_user: "first_name",
  hidp_accounts_emailchangerequest: "proposed_email",
  oauth2_provider_application: "name",
  oauth2_provider_accesstoken: "token",
  oauth2_provider_refreshtoken: "token",
  oauth2_provider_idtoken: "scope",
  oauth2_provider_grant: "code",
  oauth2_provider_devicegrant: "device_code",
  django_session: "session_key",
};

function readRows(path: string, table: string): Record<string, string | null>[] {
  return (readDatabase(path).get(table) ?? []).map((row) => JSON.parse(row));
}

function readLabels(path: string): string[] {
  return Object.entries(LABELS).flatMap(([table, column]) =>
    readRows(path, table).map((row) => `${row[column]} in ${table}`),
  );
}

function readCounts(path: string): Map<string, number> {
  return new Map([...readDatabase(path)].map(([table, rows]) => [table, rows.length]));
}

// A cutoff in the middle of a second, and one that SQLite stores without a fraction.
for (const now of ["2026-11-23T10:20:30.123456Z", "2026-11-23T10:20:30Z"]) {
  describe(`the originals on a seeded database, at ${now}`, () => {
    let seeded: string;
    before(async () => {
      seeded = await seededDatabase(1, now);
    });

    test("no category of the seed is left out here", (t) => {
      for (const [table, count] of readCounts(seeded)) t.diagnostic(`${table}: ${count}`);
      const known = Object.values(RUNS).flatMap((run) => Object.keys(run.edges));
      const categories = new Set(readLabels(seeded).map((label) => label.split("/", 1)[0]));
      // Holders are there for what hangs on them, and no command removes them.
      assert.deepEqual([...categories].sort(), [...new Set([...known, "holder"])].sort());
    });

    for (const [name, run] of Object.entries(RUNS)) {
      test(`${name}: of every category something goes and something stays`, async (t) => {
        const database = copyDatabase(seeded);
        await oracle(["run", "--now", now, run.command], { database, ...run.options });

        const counts = readCounts(database);
        for (const [table, count] of readCounts(seeded)) {
          if (counts.get(table) !== count) t.diagnostic(`${table}: ${count} -> ${counts.get(table)}`);
        }

        const left = new Set(readLabels(database));
        const removed = readLabels(seeded).filter((label) => !left.has(label));
        for (const [category, { goes, stays }] of Object.entries(run.edges)) {
          assert.ok(
            removed.some((label) => label.startsWith(`${category}/${goes}/`)),
            `${category}: ${goes} goes`,
          );
          assert.ok(
            [...left].some((label) => label.startsWith(`${category}/${stays}/`)),
            `${category}: ${stays} stays`,
          );
        }
      });
    }

    test("every table that references users loses rows with them and keeps others", async () => {
      const database = copyDatabase(seeded);
      await oracle(["run", "--now", now, "remove_stale_unverified_accounts"], { database });
      const [initial, left] = [readCounts(seeded), readCounts(database)];
      for (const table of [...tablesReferencing(seeded, "people_user"), "otp_static_statictoken"]) {
        const [had, has] = [initial.get(table) ?? 0, left.get(table) ?? 0];
        assert.ok(0 < has && has < had, `${table}: ${had} -> ${has}`);
      }
    });

    test("a token that outlives the one it points at is kept without the link", async () => {
      const database = copyDatabase(seeded);
      await oracle(["run", "--now", now, "remove_stale_unverified_accounts"], { database });
      for (const [table, column, category] of [
        ["oauth2_provider_refreshtoken", "access_token_id", "access-on-owned-application/stale-owner"],
        ["oauth2_provider_accesstoken", "source_refresh_token_id", "source-of-owner/stale-owner"],
      ] as const) {
        const links = (path: string) =>
          readRows(path, table)
            .filter(({ token }) => token?.startsWith(category) && !token.endsWith("/source"))
            .map((row) => row[column] !== null);
        assert.deepEqual(links(seeded), [true, true, true], `${table} as seeded`);
        assert.deepEqual(links(database), [false, false, false], `${table} afterwards`);
      }
    });
  });
}

describe("the oracle", () => {
  const now = "2026-11-23T10:20:30.123456Z";

  test("seeds the same rows from the same seed, and others from another", async () => {
    const [first, second, other] = [
      await seededDatabase(7, now, 10),
      await seededDatabase(7, now, 10),
      await seededDatabase(8, now, 10),
    ];
    compareDatabases(first, second);
    assert.throws(() => compareDatabases(first, other), /people_user\n {2}only in .*: \d+\n {4}\{/);
  });

  test("hands arguments to the command and returns what it printed", async () => {
    const seeded = await seededDatabase(7, now, 10);
    const database = copyDatabase(seeded);
    const command = ["remove_stale_unverified_accounts", "--days", "30", "--dry-run"];
    const printed = await oracle(["run", "--now", now, ...command], { database });
    assert.match(
      printed,
      /^Removing accounts that have not been verified within 30 days\.\.\.\n\d+ unverified account\(s\) would be removed\.\n$/,
    );
    compareDatabases(seeded, database);
  });

  test("fails where the command fails, and where the command asks no clock", async () => {
    const database = await seededDatabase(7, now, 10);
    const settings = { REFRESH_TOKEN_EXPIRE_SECONDS: -1 };
    await assert.rejects(
      oracle(["run", "--now", now, "cleartokens"], { database, settings }),
      /not be negative/,
    );
    await assert.rejects(oracle(["run", "--now", now, "check"], { database }), /frozen clock/);
  });

  test("prints the schema as statements that make the same schema", async () => {
    const database = await seededDatabase(7, now, 10);
    const schema = await oracle(["schema"], { database });
    using copy = new DatabaseSync(":memory:");
    copy.exec(schema);
    const names = copy
      .prepare("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite!_%' ESCAPE '!'")
      .all();
    assert.equal(names.length, schema.trimEnd().split("\n").length);
  });
});

function tablesReferencing(path: string, target: string): string[] {
  using database = new DatabaseSync(path, { readOnly: true });
  return database
    .prepare(
      `SELECT tables.name AS name FROM sqlite_master AS tables, pragma_foreign_key_list(tables.name) AS keys
       WHERE tables.type = 'table' AND keys."table" = ?`,
    )
    .all(target)
    .map((row) => String(row.name));
}
