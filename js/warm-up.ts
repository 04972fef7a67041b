/** Has the engine compile, while the host starts, what every job runs: for hosts that count the time of a job, but not of a start. */

import { bindable } from "./adapters/d1-sql.ts";
import { call, free, Run } from "./core.ts";
import type { Answer, Effect } from "./effects.ts";
import type { SqlValue } from "./store.ts";

const column = (table: string, name: string, type: string, key = 0): SqlValue[] => [
  table,
  0,
  name,
  type,
  null,
  key,
  1,
  0,
];

/** The schema of a database with one user, as the core asks for it. */
const SCHEMA: readonly SqlValue[][][] = [
  [
    column("hidp_accounts_emailchangerequest", "id", "integer", 1),
    column("hidp_accounts_emailchangerequest", "user_id", "integer"),
    column("people", "id", "integer", 1),
    column("people", "email_verified", "datetime"),
    column("people", "date_joined", "datetime"),
  ],
  [["hidp_accounts_emailchangerequest", 0, "people", "user_id", "id", "NO ACTION"]],
  [],
  [[1]],
];

/** More effects than the job has. */
const MOST = 20;

/** Runs a job on a database that is not there. Tells whether it came to its end; never throws, so that the host starts in any case. */
export function warmUp(): boolean {
  try {
    const request = {
      job: "remove_stale_unverified_accounts",
      preset: "hidp",
      clock: "2026-01-01T00:00:00Z",
      rowLease: true,
    };
    const run = call(() => new Run(request, "sqlite", undefined));
    try {
      const schema = [...SCHEMA];
      let answer: Answer | undefined = "began";
      for (let at = 0; at < MOST && answer !== undefined; at += 1) {
        const { effect } = run.next({ answer, elapsedMs: at, aborted: false, lane: 0 });
        if (typeof effect === "object" && "done" in effect) return true;
        answer = answerTo(effect, schema);
      }
      return false;
    } finally {
      free(run);
    }
  } catch {
    // The first job compiles what it needs.
    return false;
  }
}

/** One row is found stale, and goes. */
function answerTo(effect: Effect, schema: SqlValue[][][]): Answer | undefined {
  if (typeof effect === "string") return undefined;
  // What D1's adapter makes of statements is most of what is not compiled beforehand.
  const sent = "query" in effect ? [effect.query] : "batch" in effect ? effect.batch : [];
  for (const { sql, params } of sent) bindable(sql, params, true);
  if ("query" in effect)
    return {
      query:
        schema.shift() ?? [["1", "1", "1", "0", "0"]].map((row) => row.slice(0, columnsOf(effect.query.sql))),
    };
  if ("batch" in effect) return { batch: effect.batch.map(() => ({ rows: [["1", "1"]], changes: 1 })) };
  return undefined;
}

/** A walk is opened by three columns, and found by five. */
function columnsOf(sql: string): number {
  return sql.startsWith("WITH") ? 5 : 3;
}
