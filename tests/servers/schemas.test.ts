/** Tables of PostgreSQL that are not plain tables of the schema `public`. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Report } from "idp-janitor";
import type { Engine } from "../support/engines.ts";
import { startPostgres } from "../support/postgres.ts";
import { ACCOUNTS, both, openedOn, people, requests } from "./opened.ts";

let engine: Engine;
before(async () => {
  engine = await startPostgres();
});
after(() => engine.close());

/** Runs a body on a new database; see `openedOn`. */
const on = (...given: Parameters<typeof openedOn> extends [Engine, ...infer Rest] ? Rest : never) =>
  openedOn(engine, ...given);

test("names in mixed case, with quotes, blanks and dots, in another schema", async () => {
  const user = `"My ""Schema"""."App.User's"`;
  const statements = `CREATE SCHEMA "My ""Schema""";
    ${people(user)} ${requests(`"My ""Schema""".hidp_accounts_emailchangerequest`, user)}`;
  await on(statements, `"My\\ ""Schema"""`, async (opened) => {
    const report = await both(opened, ACCOUNTS);
    assert.deepEqual(report.removed, { "App.User's": 2, hidp_accounts_emailchangerequest: 2 });
    assert.deepEqual(await opened.rows(`SELECT id FROM ${user} ORDER BY id`), [["2"], ["3"]]);
  });
});

test("a table of the same name in another schema is not touched, nor a temporary one", async () => {
  const statements = `CREATE SCHEMA app; CREATE SCHEMA other;
    ${people("app.people")} ${requests("app.hidp_accounts_emailchangerequest", "app.people")}
    ${people("other.people")} ${requests("other.hidp_accounts_emailchangerequest", "other.people")}`;
  await on(statements, "app,other", async (opened) => {
    await opened.rows("CREATE TEMPORARY TABLE people (id bigint)");
    assert.deepEqual((await both(opened, ACCOUNTS)).removed, {
      hidp_accounts_emailchangerequest: 2,
      people: 2,
    });
    assert.deepEqual(await opened.rows("SELECT count(*)::int FROM app.people"), [[2]]);
    assert.deepEqual(await opened.rows("SELECT count(*)::int FROM other.people"), [[4]]);
  });
});

test("a key from a schema that is not on the search path is refused, or followed where that is said", async () => {
  const statements = `CREATE SCHEMA audit; ${people("people")} ${requests("hidp_accounts_emailchangerequest", "people")}
    ${requests("audit.notes", "people")}`;
  await on(statements, "public", async (opened) => {
    const setting = "audit.notes.user_id";
    await assert.rejects(opened.run(ACCOUNTS), { code: "unknown_reference", message: new RegExp(setting) });
    const report = await opened.run(ACCOUNTS, { onDelete: { [setting]: "cascade" } });
    assert.deepEqual(report.removed, { "audit.notes": 2, hidp_accounts_emailchangerequest: 2, people: 2 });
  });
});

const PARTITIONED = `
  CREATE TABLE people (id bigint PRIMARY KEY, email_verified timestamptz, date_joined timestamptz NOT NULL)
    PARTITION BY RANGE (id);
  CREATE TABLE people_low PARTITION OF people FOR VALUES FROM (MINVALUE) TO (1000);
  CREATE TABLE people_mid PARTITION OF people FOR VALUES FROM (1000) TO (2000) PARTITION BY HASH (id);
  CREATE TABLE people_mid_0 PARTITION OF people_mid FOR VALUES WITH (MODULUS 2, REMAINDER 0);
  CREATE TABLE people_mid_1 PARTITION OF people_mid FOR VALUES WITH (MODULUS 2, REMAINDER 1);
  CREATE TABLE people_rest PARTITION OF people DEFAULT;
  INSERT INTO people SELECT n, CASE WHEN n % 3 = 0 THEN now() END, '2026-01-01+00' FROM generate_series(1, 3000) AS n;
  CREATE TABLE hidp_accounts_emailchangerequest (id bigint, user_id bigint NOT NULL REFERENCES people
    DEFERRABLE INITIALLY DEFERRED, PRIMARY KEY (id)) PARTITION BY RANGE (id);
  CREATE TABLE requests_low PARTITION OF hidp_accounts_emailchangerequest FOR VALUES FROM (MINVALUE) TO (1500);
  CREATE TABLE requests_rest PARTITION OF hidp_accounts_emailchangerequest DEFAULT;
  CREATE INDEX ON hidp_accounts_emailchangerequest (user_id);
  INSERT INTO hidp_accounts_emailchangerequest SELECT id, id FROM people;
  CREATE TABLE oauth2_provider_refreshtoken (id bigint, user_id bigint NOT NULL REFERENCES people, access_token_id bigint,
    PRIMARY KEY (id)) PARTITION BY HASH (id);
  CREATE TABLE refresh_0 PARTITION OF oauth2_provider_refreshtoken FOR VALUES WITH (MODULUS 2, REMAINDER 0);
  CREATE TABLE refresh_1 PARTITION OF oauth2_provider_refreshtoken FOR VALUES WITH (MODULUS 2, REMAINDER 1);
  CREATE TABLE oauth2_provider_accesstoken (id bigint PRIMARY KEY, user_id bigint NOT NULL REFERENCES people);
  ALTER TABLE oauth2_provider_refreshtoken ADD FOREIGN KEY (access_token_id) REFERENCES oauth2_provider_accesstoken;
  INSERT INTO oauth2_provider_accesstoken SELECT id, id FROM people;
  -- Each points at the token of the next: some go, some let go, some stay.
  INSERT INTO oauth2_provider_refreshtoken SELECT id, id, 1 + id % 3000 FROM people;`;

for (const concurrency of [1, 4]) {
  test(`partitioned tables, in parts and parts of parts, ${concurrency} at a time`, async () => {
    await on(PARTITIONED, "public", async (opened) => {
      const report = await both(opened, ACCOUNTS, { concurrency });
      const gone = { hidp_accounts_emailchangerequest: 2000, oauth2_provider_accesstoken: 2000 };
      assert.deepEqual(report.removed, { ...gone, oauth2_provider_refreshtoken: 2000, people: 2000 });
      const kept = "SELECT count(*)::int, count(access_token_id)::int FROM oauth2_provider_refreshtoken";
      assert.deepEqual(await opened.rows(kept), [[1000, 0]], "those that stay have let go");
      assert.equal(report.selected, 2000);
      const left = "SELECT count(*)::int, count(*) FILTER (WHERE id % 3 <> 0)::int FROM people";
      assert.deepEqual(await opened.rows(left), [[1000, 0]]);
    });
  });
}

test("a pass over parts goes on from its checkpoint, and is refused where there are other parts", async () => {
  await on(PARTITIONED, "public", async (opened) => {
    let sum = 0;
    let checkpoint: Report["checkpoint"];
    for (let runs = 0; ; runs += 1) {
      const report = await opened.run(ACCOUNTS, { maxRows: 300, ...(checkpoint && { checkpoint }) });
      sum += report.removed.people ?? 0;
      if (report.complete) break;
      checkpoint = report.checkpoint;
      assert.ok(runs < 20, "the pass ends");
    }
    assert.equal(sum, 2000);
    await opened.rows("CREATE TABLE people_far PARTITION OF people FOR VALUES FROM (9000) TO (9999)");
    assert.ok(checkpoint);
    await assert.rejects(opened.run(ACCOUNTS, { checkpoint }), { code: "invalid_checkpoint" });
  });
});

test("a table that others inherit from", async () => {
  const statements = `CREATE TABLE django_session (session_key text PRIMARY KEY, expire_date timestamptz NOT NULL);
    CREATE TABLE old_session (note text) INHERITS (django_session);
    INSERT INTO django_session VALUES ('a', '2026-01-01+00'), ('b', '2027-01-01+00');
    INSERT INTO old_session SELECT 'o' || n, '2026-01-01+00' FROM generate_series(1, 500) AS n;
    INSERT INTO old_session VALUES ('kept', '2027-01-01+00')`;
  await on(statements, "public", async (opened) => {
    assert.deepEqual((await both(opened, "clearsessions")).removed, { django_session: 501 });
    assert.deepEqual(await opened.rows("SELECT session_key FROM django_session ORDER BY 1"), [
      ["b"],
      ["kept"],
    ]);
  });
});

test("types that cannot be judged are refused before anything is touched", async () => {
  for (const [type, why] of [
    ["timestamp", /holds no instants/],
    ["text", /holds no instants/],
  ] as const) {
    const statements = `CREATE TABLE django_session (session_key text PRIMARY KEY, expire_date ${type} NOT NULL)`;
    await on(statements, "public", async (opened) => {
      await assert.rejects(opened.run("clearsessions"), { code: "unsupported_schema", message: why });
    });
  }
});

test("a row that a trigger keeps is kept with all that hangs on it, and is not counted as gone", async () => {
  const statements = `${people("people")} ${requests("hidp_accounts_emailchangerequest", "people")}
    CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF OLD.id = 1 THEN RETURN NULL; END IF; RETURN OLD; END $$;
    CREATE TRIGGER keeper BEFORE DELETE ON people FOR EACH ROW EXECUTE FUNCTION keep()`;
  await on(statements, "public", async (opened) => {
    const report = await opened.run(ACCOUNTS);
    assert.deepEqual(report.removed, { hidp_accounts_emailchangerequest: 1, people: 1 });
    assert.equal(report.held, 1);
    assert.match(report.warnings.join(), /has a trigger `keeper`/);
    const left = "SELECT user_id FROM hidp_accounts_emailchangerequest ORDER BY 1";
    assert.deepEqual(await opened.rows(left), [["1"], ["2"], ["3"]]);
  });
});

test("an action that does less than the database itself does is refused", async () => {
  const key = "CREATE TABLE notes (id bigint PRIMARY KEY, user_id bigint REFERENCES people";
  for (const [declared, action] of [
    ["ON DELETE CASCADE", "set-null"],
    ["ON DELETE CASCADE", "restrict"],
    ["ON DELETE SET NULL", "restrict"],
  ] as const) {
    const statements = `${people("people")} ${requests("hidp_accounts_emailchangerequest", "people")} ${key} ${declared})`;
    await on(statements, "public", async (opened) => {
      const run = opened.run(ACCOUNTS, { onDelete: { "notes.user_id": action } });
      await assert.rejects(run, { code: "unsupported_schema", message: /do less than the database itself/ });
      assert.equal((await opened.run(ACCOUNTS)).complete, true);
    });
  }
});

test("a key that sets only some of its columns is refused", async () => {
  const statements = `${people("people")} ${requests("hidp_accounts_emailchangerequest", "people")}
    ALTER TABLE people ADD tenant bigint NOT NULL DEFAULT 1; ALTER TABLE people ADD UNIQUE (tenant, id);
    CREATE TABLE posts (id bigint PRIMARY KEY, tenant bigint NOT NULL, author bigint,
      FOREIGN KEY (tenant, author) REFERENCES people (tenant, id) ON DELETE SET NULL (author))`;
  await on(statements, "public", async (opened) => {
    await assert.rejects(opened.run(ACCOUNTS), {
      code: "unsupported_schema",
      message: /only some of its columns/,
    });
  });
});

test("rows that row level security may hide are refused", async () => {
  const statements = `${people("people")} ${requests("hidp_accounts_emailchangerequest", "people")}
    ALTER TABLE people ENABLE ROW LEVEL SECURITY; ALTER TABLE people FORCE ROW LEVEL SECURITY;
    CREATE POLICY few ON people USING (id > 100)`;
  await on(statements, "public", async (opened) => {
    await assert.rejects(opened.run(ACCOUNTS), { code: "unsupported_schema", message: /row level security/ });
  });
});

test("keys whose check is off are warned about", async () => {
  const statements = `${people("people")} ${requests("hidp_accounts_emailchangerequest", "people")}`;
  await on(statements, "public", async (opened) => {
    const warnings = async () => (await opened.run(ACCOUNTS, { dryRun: true })).warnings.join();
    assert.equal(await warnings(), "");
    await opened.asAdmin("ALTER TABLE hidp_accounts_emailchangerequest DISABLE TRIGGER ALL");
    const unchecked = /does not check the foreign key `hidp_accounts_emailchangerequest\.user_id`/;
    assert.match(await warnings(), unchecked);
    assert.match((await opened.run(ACCOUNTS)).warnings.join(), unchecked);
  });
});
