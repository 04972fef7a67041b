/** A queue whose messages come twice, and whose store loses every third answer after it has taken effect. */

import type { D1Database, Queue } from "@cloudflare/workers-types";
import "idp-janitor";
import type { JobName } from "idp-janitor";
import { d1 } from "idp-janitor/adapters/d1";
import { type FanOutMessage, type FanOutResult, queueHandler, startFanOut } from "idp-janitor/cloudflare";
import { losing } from "../../support/losing.ts";

interface Env {
  readonly DB: D1Database;
  readonly PARTS: Queue<FanOutMessage>;
}

let slices = 0;

/** Of all invocations. */
function onSlice(): void {
  slices += 1;
  if (slices % 3 === 0) throw new Error("the answer was lost");
}

const handle = queueHandler((env: Env) => ({
  store: losing(d1(env.DB), onSlice),
  plan: "paid",
  queue: env.PARTS,
  onEnd: async ({ run, removed }: FanOutResult) => {
    await env.DB.prepare("INSERT INTO ended VALUES (?, ?)").bind(run, JSON.stringify(removed)).run();
  },
}));

export default {
  async fetch(request: Request, { DB, PARTS }: Env): Promise<Response> {
    const { job, now, parts } = (await request.json()) as { job: JobName; now: string; parts: number };
    try {
      return Response.json(
        await startFanOut(job, { store: d1(DB), queue: PARTS }, { now: new Date(now), parts }),
      );
    } catch (error) {
      return Response.json({ error: String(error) });
    }
  },

  async queue(batch: Parameters<typeof handle>[0], env: Env): Promise<void> {
    // What comes at least once may come twice.
    const again = batch.messages.map(({ body }) => ({ body, ack: () => undefined, retry: () => undefined }));
    await handle(batch, env);
    await handle({ messages: again }, env);
  },
};
