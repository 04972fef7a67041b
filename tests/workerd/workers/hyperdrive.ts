/** The adapters, jobs and ticks on PostgreSQL through Hyperdrive: each invocation has clients of its own, and ends them. */

import type { Hyperdrive } from "@cloudflare/workers-types";
import { createJanitor, JanitorError, type JobName, type RunOptions } from "idp-janitor";
import { pg } from "idp-janitor/adapters/pg";
import { postgresJs } from "idp-janitor/adapters/postgres";
import { type ScheduledEntry, type ScheduledOptions, scheduledHandler } from "idp-janitor/cloudflare";
import { type ConformanceCase, sqlStoreCases } from "idp-janitor/testing";
import { Client, Pool } from "pg";
import postgres from "postgres";
import { type Connect, connectWitness, postgresHarness } from "../../adapters/postgres-harness.ts";
import type { Engine } from "../../support/engines.ts";
import { answer } from "./cases.ts";

const CONNECTS = {
  client: async (connectionString) => {
    const client = new Client({ connectionString });
    await client.connect();
    return { store: pg(client, { session: false }), end: () => client.end() };
  },
  pool: async (connectionString) => {
    const pool = new Pool({ connectionString, max: 4 });
    pool.on("error", () => undefined);
    return { store: pg(pool, { session: false }), end: () => pool.end() };
  },
  "postgres.js": async (url) => {
    const sql = postgres(url, { max: 4, fetch_types: false, onnotice: () => undefined });
    return { store: postgresJs(sql, { session: false }), end: () => sql.end({ timeout: 1 }) };
  },
} satisfies Record<string, Connect>;

export type Driver = keyof typeof CONNECTS;

/** A job to be run, or a tick to be had, on the database behind a binding. */
export type Order =
  | { readonly binding: string; readonly job: JobName; readonly options: RunOptions }
  | { readonly binding: string; readonly now: string; readonly tick: ScheduledOptions };

interface Env {
  readonly DRIVER: Driver;
  /** The database of the conformance suite, as its owner, and the server as its superuser. */
  readonly SUITE: Hyperdrive;
  readonly ADMIN: Hyperdrive;
}

/** There is one database, so each case begins by emptying it. Nothing keeps sessions here, so there is nothing to say of them. */
function suiteOn({ DRIVER, SUITE, ADMIN }: Env): readonly ConformanceCase[] {
  const engine: Pick<Engine, "adminUrl" | "createDatabase"> = {
    adminUrl: () => ADMIN.connectionString,
    async createDatabase() {
      const owner = await connectWitness(SUITE.connectionString);
      await owner.execute("DROP OWNED BY CURRENT_USER");
      await owner.end();
      return SUITE.connectionString;
    },
  };
  const connect = CONNECTS[DRIVER];
  const isOneConnection = DRIVER === "client";
  const cases = sqlStoreCases({
    ...postgresHarness(() => engine as Engine, connect, { isOneConnection }),
    // The binding's url has parameters already, and Hyperdrive hands on none that set something.
    async readOnly({ execute }) {
      const set = (change: string) => execute(`ALTER DATABASE "${SUITE.database}" ${change}`);
      await set("SET default_transaction_read_only = on");
      const { store, end } = await connect(SUITE.connectionString);
      const close = async () => {
        await end();
        await set("RESET default_transaction_read_only");
      };
      return { store, close };
    },
  });
  return cases.filter(({ name }) => !/sessions?\b/.test(name));
}

async function perform(order: Order, connect: () => ReturnType<Connect>): Promise<unknown> {
  if ("job" in order) {
    const { store, end } = await connect();
    try {
      return await createJanitor({ store }).run(order.job, order.options);
    } finally {
      await end();
    }
  }
  const entries: ScheduledEntry[] = [];
  let hasEnded = false;
  const handler = scheduledHandler(async () => {
    const { store, end } = await connect();
    const close = async () => {
      await end();
      hasEnded = true;
    };
    return { ...order.tick, store, log: (entry) => entries.push(entry), close };
  });
  const [cron = ""] = Object.keys(order.tick.crons);
  await handler({ cron, scheduledTime: Date.parse(order.now) }, undefined);
  if (!hasEnded) throw new Error("the tick has not ended its clients");
  return entries;
}

export default {
  async fetch(request: Request, env: Env & Readonly<Record<string, unknown>>): Promise<Response> {
    if (request.method === "GET") return answer(request, suiteOn(env));
    const order = (await request.json()) as Order;
    const { connectionString } = env[order.binding] as Hyperdrive;
    try {
      return Response.json({ done: await perform(order, () => CONNECTS[env.DRIVER](connectionString)) });
    } catch (error) {
      const code = error instanceof JanitorError ? `${error.code}: ` : "";
      return Response.json({ error: `${code}${error instanceof Error ? error.message : String(error)}` });
    }
  },
};
