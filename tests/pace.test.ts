/** Slices grow until they take as long as they should, whatever a block holds. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { PGlite } from "@electric-sql/pglite";
import { createJanitor } from "idp-janitor";
import { pglite } from "idp-janitor/adapters/pglite";

const ROWS = 30_000;

for (const { title, filler } of [
  { title: "many rows in a block", filler: 0 },
  { title: "few rows in a block", filler: 1_500 },
]) {
  /** Regression: what a window had beyond what a slice took was a slice of its own, and small. */
  test(`every slice takes twice as many as the one before: ${title}`, async () => {
    const database = new PGlite();
    try {
      await database.exec(`
        CREATE TABLE django_session (session_key text PRIMARY KEY, session_data text, expire_date timestamptz NOT NULL);
        ALTER TABLE django_session ALTER session_data SET STORAGE PLAIN;
        INSERT INTO django_session SELECT n, repeat('x', ${filler}), '2020-01-01' FROM generate_series(1, ${ROWS}) AS s (n);
        ANALYZE django_session`);
      const taken: number[] = [];
      const report = await createJanitor({ store: pglite(database) }).run("clearsessions", {
        now: "2026-11-01T00:00:00Z",
        // No slice comes near it.
        sliceMs: 60_000,
        onProgress: ({ removed }) => {
          taken.push(removed - taken.reduce((sum, rows) => sum + rows, 0));
        },
      });
      assert.deepEqual([report.complete, report.removed], [true, { django_session: ROWS }]);
      const grown = taken.slice(0, -1).map((rows, at) => rows / (taken[at - 1] ?? rows / 2));
      // A window ends with a block, and can fall a little short.
      assert.ok(
        grown.every((factor) => factor > 1.9),
        `slices of ${taken.join(", ")}`,
      );
      assert.equal(report.slices, 6);
    } finally {
      await database.close();
    }
  });
}
