/** The handler of cron triggers as a test asks for it: each request is a tick with options of its own. */

import type { D1Database } from "@cloudflare/workers-types";
import { JanitorError } from "idp-janitor";
import { type D1Binding, d1 } from "idp-janitor/adapters/d1";
import { memoryCache } from "idp-janitor/caches/memory";
import { type ScheduledEntry, type ScheduledOptions, scheduledHandler } from "idp-janitor/cloudflare";

/** What a test asks of a tick. */
export interface Tick {
  readonly cron: string;
  readonly now: string;
  readonly options: Omit<ScheduledOptions, "store" | "keys" | "log" | "close">;
  /** After so many batches, D1 says that the rows of the day are used up. */
  readonly batchesToday?: number;
  /** What the providers of keys answer with, by their address; absent: there are no `keys`. */
  readonly providers?: Readonly<Record<string, { readonly status: number; readonly body: string }>>;
  /** Whether the cache of keys cannot be written to. */
  readonly cacheFails?: boolean;
  readonly closeFails?: boolean;
}

/** What came of it. */
export interface Ticked {
  readonly entries: readonly ScheduledEntry[];
  readonly closed: boolean;
  readonly error?: { readonly code: string | undefined; readonly message: string } | undefined;
}

const OVER =
  "D1_ERROR: Your account has exceeded D1's maximum daily row write limit for the free tier, resets at 00:00 UTC";

function limited(database: D1Database, batches: number): D1Binding {
  let left = batches;
  return {
    prepare: (sql) => database.prepare(sql),
    batch: (statements) => {
      left -= 1;
      return left < 0 ? Promise.reject(new Error(OVER)) : database.batch(statements);
    },
  };
}

export default {
  async fetch(request: Request, { DB }: { DB: D1Database }): Promise<Response> {
    const {
      cron,
      now,
      options,
      batchesToday = Infinity,
      providers,
      cacheFails,
      closeFails,
    } = (await request.json()) as Tick;
    const entries: ScheduledEntry[] = [];
    let closed = false;
    const handler = scheduledHandler(() => ({
      ...options,
      store: d1(limited(DB, batchesToday)),
      ...(providers && {
        keys: {
          providers: Object.fromEntries(
            Object.keys(providers).map((url, at) => [`client-${at}`, { jwksUri: url }]),
          ),
          cache: {
            ...memoryCache(),
            ...(cacheFails && { put: () => Promise.reject(new Error("the cache is full")) }),
          },
          retries: 0,
          fetch: async (url) => {
            const { status, body } = providers[String(url)] ?? { status: 404, body: "" };
            return new Response(body, { status });
          },
        },
      }),
      log: (entry) => entries.push(entry),
      close: async () => {
        closed = true;
        if (closeFails) throw new Error("the client could not be closed");
      },
    }));
    const told: { error?: Ticked["error"] } = {};
    try {
      await handler({ cron, scheduledTime: Date.parse(now) }, {});
    } catch (error) {
      const code = error instanceof JanitorError ? error.code : undefined;
      told.error = { code, message: error instanceof Error ? error.message : String(error) };
    }
    return Response.json({ entries, closed, ...told } satisfies Ticked);
  },
};
