// Which database is meant where several are named.

import { deepEqual, equal } from "node:assert/strict";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { assertRefused, NOW, newDatabase, newFolder, type Outcome, run } from "../command.ts";

const JOB = "clearsessions";
const COUNT = [JOB, "--dry-run", "--now", NOW];

/** The path of the database that was looked for, where there is none. */
const missed = ({ stderr }: Outcome) => /no database at `\S*\/(\S+)`/.exec(stderr)?.[1];

test("flags go before the configuration, and that before DATABASE_URL", async (t) => {
  const folder = newFolder(t);
  const env = { DATABASE_URL: "sqlite:environment.db" };
  const configured = () =>
    writeFileSync(join(folder, "idp-janitor.config.json"), '{"database":"sqlite:config.db"}');
  equal(missed(await run(folder, COUNT, env)), "environment.db");
  equal(missed(await run(folder, ["doctor"], env)), "environment.db");
  equal(missed(await run(folder, ["plan", JOB], env)), "environment.db");
  configured();
  equal(missed(await run(folder, COUNT, env)), "config.db");
  equal(missed(await run(folder, [...COUNT, "--database", "sqlite:flag.db"], env)), "flag.db");
});

test("DATABASE_URL is enough, blanks around it are not meant, and an empty one is none", async (t) => {
  const folder = newDatabase(t);
  deepEqual((await run(folder, COUNT, { DATABASE_URL: " sqlite:idp.db\n" })).status, 0);
  for (const empty of ["", "  "]) {
    const outcome = await run(folder, COUNT, { DATABASE_URL: empty });
    assertRefused(outcome, 2, "invalid_setting", /no database is given: .*DATABASE_URL/);
  }
});

test("of keys, it is the database of Django's table, and no cache by itself", async (t) => {
  const folder = newDatabase(t);
  renameSync(join(folder, "idp.db"), join(folder, "django.db"));
  const env = { DATABASE_URL: "sqlite:django.db" };
  const keys = (cache: string, variables: NodeJS.ProcessEnv) =>
    run(folder, ["keys", "--client", "a=https://a.example/", "--cache", cache], variables);
  assertRefused(await keys("django-db:none", env), 1, "cache_failed", /`none` does not exist/);
  equal(missed(await keys("sqlite:keys.db", env)), "keys.db");
  for (const url of ["postgres://u:sEcret@h/idp", "mysql://u:sEcret@h/idp"]) {
    const refused = await keys("django-db:none", { DATABASE_URL: url });
    assertRefused(refused, 2, "invalid_setting", /on SQLite alone so far: use `--cache redis:/);
    const cache = await keys(url, {});
    assertRefused(cache, 2, "invalid_setting", /not kept in a database server .*: use `--cache redis:/);
    for (const { stderr } of [refused, cache]) equal(stderr.includes("sEcret"), false);
  }
});
