/** Databases of PostgreSQL in which a removal could take what is in use, or miss what is stale: jobs refuse them. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createJanitor, type JobName, type OnDelete } from "idp-janitor";
import { pg } from "idp-janitor/adapters/pg";
import { Client, Pool } from "pg";
import type { Engine } from "../support/engines.ts";
import { startPostgres } from "../support/postgres.ts";

const NOW = "2026-06-01T00:00:00Z";

let engine: Engine;
before(async () => {
  engine = await startPostgres();
});
after(() => engine.close());

const ACCOUNTS = `
  CREATE TABLE people (id bigint PRIMARY KEY, email_verified timestamptz, date_joined timestamptz NOT NULL);
  CREATE TABLE hidp_accounts_emailchangerequest (id bigint PRIMARY KEY, user_id bigint REFERENCES people,
    confirmed_by_current_email bool NOT NULL DEFAULT false, confirmed_by_proposed_email bool NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now());
  CREATE INDEX ON hidp_accounts_emailchangerequest (user_id);`;

const TOKENS = `
  CREATE TABLE oauth2_provider_idtoken (id bigint PRIMARY KEY, expires timestamptz NOT NULL);
  CREATE TABLE oauth2_provider_accesstoken (id bigint PRIMARY KEY, expires timestamptz NOT NULL,
    id_token_id bigint REFERENCES oauth2_provider_idtoken, source_refresh_token_id bigint);
  CREATE TABLE oauth2_provider_refreshtoken (id bigint PRIMARY KEY, revoked timestamptz,
    access_token_id bigint CONSTRAINT in_use REFERENCES oauth2_provider_accesstoken);
  CREATE TABLE oauth2_provider_grant (id bigint PRIMARY KEY, expires timestamptz NOT NULL);
  INSERT INTO oauth2_provider_accesstoken VALUES (7, '2020-01-01+00');`;

const STALE = "NULL, '2020-01-01+00'";

interface Case {
  readonly what: string;
  readonly job: JobName;
  /** Makes the database. */
  readonly made: string;
  /** What an administrator does to it then. */
  readonly admin?: string;
  /** Why it is refused. */
  readonly why: RegExp;
  readonly onDelete?: Record<string, OnDelete>;
}

const INHERITED = /is inherited from, and its foreign keys are not/;
const OF_A_PART = /points at a part of `people` alone/;
const UNGUARDED =
  /nothing keeps rows of `oauth2_provider_accesstoken` from going that come into use meanwhile/;
const HIDDEN = /row level security may hide rows of/;

const CASES: readonly Case[] = [
  {
    what: "a request whose user has a namesake in an heir of the users' table",
    job: "remove_stale_unverified_accounts",
    made: `${ACCOUNTS} CREATE TABLE people_archive () INHERITS (people);
      INSERT INTO people VALUES (5, '2026-01-02+00', '2026-01-01+00'); INSERT INTO people_archive VALUES (5, ${STALE});
      INSERT INTO hidp_accounts_emailchangerequest (id, user_id) VALUES (1, 5)`,
    why: INHERITED,
  },
  {
    what: "a refresh token whose access token has an expired namesake in an heir",
    job: "cleartokens",
    made: `${TOKENS} CREATE TABLE at_archive () INHERITS (oauth2_provider_accesstoken);
      UPDATE oauth2_provider_accesstoken SET expires = '2026-06-02+00'; INSERT INTO at_archive VALUES (7, '2020-01-01+00');
      INSERT INTO oauth2_provider_refreshtoken VALUES (1, NULL, 7)`,
    why: INHERITED,
  },
  {
    what: "a row of an heir that has no key",
    job: "remove_stale_unverified_accounts",
    made: `${ACCOUNTS} CREATE TABLE requests_archive () INHERITS (hidp_accounts_emailchangerequest);
      INSERT INTO people VALUES (5, ${STALE}); INSERT INTO requests_archive (id, user_id) VALUES (1, 5)`,
    why: INHERITED,
  },
  {
    what: "a row of an heir that is to let go by a key of its own",
    job: "remove_stale_unverified_accounts",
    made: `${ACCOUNTS}
      CREATE TABLE requests_archive (FOREIGN KEY (user_id) REFERENCES people) INHERITS (hidp_accounts_emailchangerequest);
      INSERT INTO people VALUES (5, ${STALE}); INSERT INTO requests_archive (id, user_id) VALUES (1, 5)`,
    onDelete: { "requests_archive.user_id": "set-null" },
    why: INHERITED,
  },
  {
    what: "a row that points at one partition, when its namesake in another goes",
    job: "remove_stale_unverified_accounts",
    made: `CREATE TABLE people (id bigint NOT NULL, region text NOT NULL, email_verified timestamptz,
        date_joined timestamptz NOT NULL, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
      CREATE TABLE people_eu PARTITION OF people FOR VALUES IN ('eu'); ALTER TABLE people_eu ADD UNIQUE (id);
      CREATE TABLE people_us PARTITION OF people FOR VALUES IN ('us');
      CREATE TABLE hidp_accounts_emailchangerequest (id bigint PRIMARY KEY, user_id bigint REFERENCES people_eu (id));
      INSERT INTO people VALUES (5, 'eu', '2026-01-02+00', '2026-01-01+00'), (5, 'us', ${STALE});
      INSERT INTO hidp_accounts_emailchangerequest VALUES (1, 5)`,
    why: OF_A_PART,
  },
  {
    what: "a row that points at an heir, which the database would remove by itself",
    job: "remove_stale_unverified_accounts",
    made: `CREATE TABLE people (id bigint, email_verified timestamptz, date_joined timestamptz NOT NULL);
      CREATE TABLE people_old (PRIMARY KEY (id)) INHERITS (people);
      CREATE TABLE hidp_accounts_emailchangerequest (id bigint PRIMARY KEY, user_id bigint REFERENCES people_old
        ON DELETE CASCADE);
      INSERT INTO people_old VALUES (6, ${STALE}); INSERT INTO hidp_accounts_emailchangerequest VALUES (1, 6)`,
    why: INHERITED,
  },
  {
    what: "an access token that a refresh token may come to use, without a key that says so",
    job: "cleartokens",
    made: `${TOKENS} ALTER TABLE oauth2_provider_refreshtoken DROP CONSTRAINT in_use`,
    why: UNGUARDED,
  },
  {
    what: "the same where the key's triggers are off",
    job: "cleartokens",
    made: TOKENS,
    admin: "ALTER TABLE oauth2_provider_refreshtoken DISABLE TRIGGER ALL",
    why: UNGUARDED,
  },
  {
    what: "the same where they are off on a part of a part",
    job: "cleartokens",
    made: `${TOKENS.replace(/CREATE TABLE oauth2_provider_refreshtoken[^;]*;/, "")}
      CREATE TABLE oauth2_provider_refreshtoken (id bigint, revoked timestamptz,
        access_token_id bigint REFERENCES oauth2_provider_accesstoken, PRIMARY KEY (id)) PARTITION BY RANGE (id);
      CREATE TABLE rt1 PARTITION OF oauth2_provider_refreshtoken DEFAULT PARTITION BY RANGE (id);
      CREATE TABLE rt11 PARTITION OF rt1 DEFAULT`,
    admin: "ALTER TABLE rt11 DISABLE TRIGGER ALL",
    why: UNGUARDED,
  },
  {
    what: "the same where the key's triggers are for replication",
    job: "cleartokens",
    made: TOKENS,
    admin: `DO $$ DECLARE name text; BEGIN FOR name IN SELECT tgname FROM pg_trigger
        WHERE tgrelid = 'oauth2_provider_refreshtoken'::regclass LOOP
      EXECUTE format('ALTER TABLE oauth2_provider_refreshtoken ENABLE REPLICA TRIGGER %I', name); END LOOP; END $$`,
    why: UNGUARDED,
  },
  {
    what: "the same where sessions of this database check no keys",
    job: "cleartokens",
    made: TOKENS,
    admin: `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET session_replication_role = replica', current_database()); END $$`,
    why: UNGUARDED,
  },
  {
    what: "stale rows that row level security hides in one part of a table",
    job: "clearsessions",
    made: `CREATE TABLE django_session (session_key text, expire_date timestamptz NOT NULL) PARTITION BY HASH (session_key);
      CREATE TABLE s1 PARTITION OF django_session FOR VALUES WITH (MODULUS 2, REMAINDER 0);
      CREATE TABLE s2 PARTITION OF django_session FOR VALUES WITH (MODULUS 2, REMAINDER 1);
      ALTER TABLE s2 ENABLE ROW LEVEL SECURITY; ALTER TABLE s2 FORCE ROW LEVEL SECURITY;
      INSERT INTO django_session SELECT n::text, '2020-01-01+00' FROM generate_series(1, 20) AS n`,
    why: HIDDEN,
  },
  {
    what: "rows that row level security hides and that would have to let go",
    job: "remove_stale_unverified_accounts",
    made: `${ACCOUNTS} INSERT INTO people VALUES (5, ${STALE});
      CREATE TABLE note (id bigint PRIMARY KEY, person_id bigint REFERENCES people ON DELETE SET NULL, secret bool NOT NULL);
      INSERT INTO note VALUES (1, 5, false), (2, 5, true);
      ALTER TABLE note ENABLE ROW LEVEL SECURITY; ALTER TABLE note FORCE ROW LEVEL SECURITY;
      CREATE POLICY open ON note USING (NOT secret)`,
    why: HIDDEN,
  },
];

for (const { what, job, made, admin, why, onDelete } of CASES) {
  test(`refused: ${what}`, async () => {
    const url = await engine.createDatabase();
    const root = new Client(engine.adminUrl(new URL(url).pathname.slice(1)));
    await root.connect();
    const first = new Client(url);
    await first.connect();
    await first.query(made);
    await first.end();
    if (admin) await root.query(admin);
    const pool = new Pool({ connectionString: url });
    try {
      const before = await contents(root);
      const userTable = job === "remove_stale_unverified_accounts" ? { userTable: "people" } : {};
      const janitor = createJanitor({ store: pg(pool), ...userTable, ...(onDelete && { onDelete }) });
      for (const dryRun of [true, false]) {
        await assert.rejects(janitor.run(job, { now: NOW, dryRun }), {
          code: "unsupported_schema",
          message: why,
        });
      }
      assert.deepEqual(await contents(root), before);
    } finally {
      await pool.end();
      await root.end();
    }
  });
}

/** Every row of the database, as whoever sees all of them sees it. */
async function contents(client: Client): Promise<unknown[]> {
  const { rows: tables } = await client.query(
    "SELECT c.oid::regclass::text AS name FROM pg_class AS c WHERE c.relkind = 'r' AND c.oid >= 16384 ORDER BY 1",
  );
  const all: unknown[] = [];
  for (const { name } of tables) all.push((await client.query(`SELECT * FROM ONLY ${name}`)).rows);
  return all;
}
