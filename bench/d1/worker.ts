/** Ticks of a cron trigger on D1, as a bench asks for them: each request is one, and is told what D1 counted. */

import type { D1Database, D1Result } from "@cloudflare/workers-types";
import "idp-janitor";
import { type D1Binding, d1 } from "idp-janitor/adapters/d1";
import { type ScheduledEntry, type ScheduledJob, scheduledHandler } from "idp-janitor/cloudflare";

/** What a bench asks for. */
export interface Tick {
  readonly jobs: readonly ScheduledJob[];
  readonly now: string;
}

/** What came of a tick. */
export interface Ticked {
  readonly entries: readonly ScheduledEntry[];
  /** As D1's binding was called, and as D1 itself counted. */
  readonly statements: number;
  readonly rowsRead: number;
  readonly rowsWritten: number;
  /** Milliseconds that D1 says its SQL took. */
  readonly sqlMs: number;
}

/** The binding, with everything it is asked added up. */
class Counted implements D1Binding {
  statements = 0;
  rowsRead = 0;
  rowsWritten = 0;
  sqlMs = 0;
  readonly #database: D1Database;

  constructor(database: D1Database) {
    this.#database = database;
  }

  prepare(sql: string) {
    const prepared = (statement: ReturnType<D1Database["prepare"]>): never =>
      ({
        statement,
        bind: (...values: unknown[]) => prepared(statement.bind(...values)),
        // Rows come without what was read for them, so what reads is asked a second time, for that alone.
        raw: async () => {
          await this.#perform([statement]);
          return statement.raw();
        },
      }) as never;
    return prepared(this.#database.prepare(sql));
  }

  batch(statements: readonly { readonly statement: ReturnType<D1Database["prepare"]> }[]) {
    return this.#perform(statements.map(({ statement }) => statement));
  }

  async #perform(
    statements: ReturnType<D1Database["prepare"]>[],
  ): Promise<D1Result<Record<string, unknown>>[]> {
    this.statements += statements.length;
    const results = await this.#database.batch<Record<string, unknown>>(statements);
    for (const { meta } of results) {
      this.rowsRead += meta.rows_read;
      this.rowsWritten += meta.rows_written;
      this.sqlMs += meta.duration;
    }
    return results;
  }
}

export default {
  async fetch(request: Request, { DB }: { DB: D1Database }): Promise<Response> {
    const { jobs, now } = (await request.json()) as Tick;
    const counted = new Counted(DB);
    const entries: ScheduledEntry[] = [];
    const handler = scheduledHandler(() => ({
      store: d1(counted),
      crons: { tick: jobs },
      log: (entry) => entries.push(entry),
    }));
    await handler({ cron: "tick", scheduledTime: Date.parse(now) }, {});
    const { statements, rowsRead, rowsWritten, sqlMs } = counted;
    return Response.json({ entries, statements, rowsRead, rowsWritten, sqlMs } satisfies Ticked);
  },
};
