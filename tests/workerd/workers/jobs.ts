/** Runs a job on one of many D1 databases, as it is told. */

import type { D1Database } from "@cloudflare/workers-types";
import { createJanitor, JanitorError, type JobName, type RunOptions } from "idp-janitor";
import { d1 } from "idp-janitor/adapters/d1";

interface Order {
  readonly database: string;
  readonly job: JobName;
  readonly options: RunOptions;
}

export default {
  async fetch(request: Request, env: Readonly<Record<string, D1Database>>): Promise<Response> {
    const { database, job, options } = (await request.json()) as Order;
    const binding = env[database];
    if (!binding) return Response.json({ error: `no binding ${database}` });
    try {
      return Response.json({ report: await createJanitor({ store: d1(binding) }).run(job, options) });
    } catch (error) {
      return Response.json({
        error: error instanceof JanitorError ? `${error.code}: ${error.message}` : String(error),
      });
    }
  },
};
