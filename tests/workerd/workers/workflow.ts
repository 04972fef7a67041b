/** A workflow whose store can be told to lose its answers, or to hang, after a slice has taken effect. */

import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import type { D1Database, Workflow } from "@cloudflare/workers-types";
import "idp-janitor";
import type { SqlStore } from "idp-janitor";
import { d1 } from "idp-janitor/adapters/d1";
import { type SweepParams, type SweepResult, sweep } from "idp-janitor/cloudflare";
import { losing } from "../../support/losing.ts";

interface Env {
  readonly DB: D1Database;
  readonly SWEEP: Workflow<Params>;
}

/** What a test asks for besides. */
export interface Params extends SweepParams {
  readonly maxStatements: number;
  /** Whether the workflow is told of these as well. */
  readonly strict?: boolean;
  /** After each of these slices, from 1, the step fails although the slice has taken effect. */
  readonly failAfter: readonly number[];
  /** After this slice, there is no answer any more. */
  readonly hangAfter?: number;
}

/** What a test asks of the Worker: SQL to run as one batch, an instance to make, or how one is. */
export type Asked =
  | { readonly run: readonly string[] }
  | { readonly create: { readonly id: string; readonly params: Params } }
  | { readonly status: string }
  | { readonly again: string; readonly how: "resume" | "restart" }
  | { readonly rows: string };

/** Of workerd. */
declare const scheduler: { wait(ms: number): Promise<void> };

/** How many slices there have been of each instance, in this isolate. */
const slices = new Map<string, number>();

/** Whether nobody has asked before, in whichever isolate. */
async function isFirst(database: D1Database): Promise<boolean> {
  await database.batch([
    database.prepare("CREATE TABLE IF NOT EXISTS asked (at INTEGER NOT NULL)"),
    database.prepare("INSERT INTO asked VALUES (1)"),
  ]);
  return (await database.prepare("SELECT count(*) AS n FROM asked").first("n")) === 1;
}

function unreliable(database: D1Database, instance: string, { failAfter, hangAfter }: Params): SqlStore {
  return losing(d1(database), async () => {
    const slice = (slices.get(instance) ?? 0) + 1;
    slices.set(instance, slice);
    if (slice === hangAfter && (await isFirst(database))) await scheduler.wait(600_000);
    if (failAfter.includes(slice)) throw new Error(`the step fails after its slice ${slice}`);
  });
}

export class SweepWorkflow extends WorkflowEntrypoint<Env, Params> {
  override run(event: WorkflowEvent<Params>, step: WorkflowStep): Promise<SweepResult> {
    const { instanceId, payload } = event;
    const { job, now } = payload;
    const own = { ...event, payload: now === undefined ? { job } : { job, now } };
    return sweep(payload.strict ? event : own, step, {
      open: () => unreliable(this.env.DB, instanceId, payload),
      maxStatements: payload.maxStatements,
      retries: { limit: 100, delay: 1_000, backoff: "constant" },
    });
  }
}

export default {
  async fetch(request: Request, { DB, SWEEP }: Env): Promise<Response> {
    const asked = (await request.json()) as Asked;
    if ("run" in asked) {
      await DB.batch(asked.run.map((sql) => DB.prepare(sql)));
      return Response.json(null);
    }
    if ("create" in asked) {
      await SWEEP.create(asked.create);
      return Response.json(null);
    }
    if ("again" in asked) {
      const instance = await SWEEP.get(asked.again);
      await instance[asked.how]();
      return Response.json(null);
    }
    if ("rows" in asked) return Response.json(await DB.prepare(asked.rows).raw());
    return Response.json(await (await SWEEP.get(asked.status)).status());
  },
};
