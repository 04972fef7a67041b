import { createJanitor } from "../janitor.ts";
import { type ConformanceCase, same } from "./check.ts";
import { batchCases } from "./sql-batches.ts";
import { connectionCases } from "./sql-connections.ts";
import type { MakeCase, SqlStoreHarness } from "./sql-harness.ts";
import { NOW, STALE_USERS, schemaOf, USERS } from "./sql-schema.ts";
import { valueCases } from "./sql-values.ts";

/** What every {@link SqlStore} must do. */
export function sqlStoreCases(harness: SqlStoreHarness): readonly ConformanceCase[] {
  const of: MakeCase = (name, body) => ({
    name,
    async run() {
      const opened = await harness.open();
      try {
        for (const sql of schemaOf(opened.store.dialect)) await opened.execute(sql);
        await body(opened);
      } finally {
        await opened.close();
      }
    },
  });

  return [
    ...valueCases(of, harness),
    ...batchCases(of, harness),
    ...connectionCases(of, harness),
    of("serves a whole job: what a dry run tells is what goes, and nothing else", async ({ store, read }) => {
      const janitor = createJanitor({ store });
      const job = "remove_stale_unverified_accounts";
      const dry = await janitor.run(job, { now: NOW, dryRun: true });
      same(await read("SELECT count(*) FROM people"), [[String(USERS)]], "after the dry run");
      const report = await janitor.run(job, { now: NOW });
      same(report.removed, dry.wouldRemove, "removed");
      same(report.removed.people, STALE_USERS, "stale users removed");
      same(await read("SELECT count(*) FROM people"), [[String(USERS - STALE_USERS)]], "people left");
      same(
        await read(
          "SELECT count(*) FROM hidp_accounts_emailchangerequest WHERE user_id NOT IN (SELECT id FROM people)",
        ),
        [["0"]],
        "orphans",
      );
      same((await janitor.run(job, { now: NOW })).removed, {}, "removed by a second run");
    }),
  ];
}
