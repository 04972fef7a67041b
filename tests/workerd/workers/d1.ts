/** The adapter on D1, held to the conformance suite in workerd itself. */

import "idp-janitor";
import type { D1Database } from "@cloudflare/workers-types";
import { d1 } from "idp-janitor/adapters/d1";
import { type SqlStoreHarness, sqlStoreCases } from "idp-janitor/testing";
import { answer } from "./cases.ts";

const harness = (database: D1Database): SqlStoreHarness => ({
  roundsIntegersInBatches: true,
  brokenKey: "store_unavailable",

  // There is one database, so each case begins by emptying it.
  async open() {
    const made =
      "SELECT type, name FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\' AND type IN ('table', 'trigger')";
    const { results } = await database.prepare(made).all<{ type: string; name: string }>();
    const drop = results.map(({ type, name }) => database.prepare(`DROP ${type} IF EXISTS "${name}"`));
    await database.batch([database.prepare("PRAGMA defer_foreign_keys = ON"), ...drop]);
    return {
      store: d1(database),
      execute: async (sql) => {
        await database.prepare(sql).run();
      },
      async read(sql) {
        const rows = await database.prepare(sql).raw();
        return rows.map((row) => row.map((value) => (value === null ? null : String(value))));
      },
      close: () => Promise.resolve(),
    };
  },
});

export default {
  fetch: (request: Request, { DB }: { DB: D1Database }) => answer(request, sqlStoreCases(harness(DB))),
};
