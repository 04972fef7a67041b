import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import type { D1Database, KVNamespace } from "@cloudflare/workers-types";
import "idp-janitor";
import { d1 } from "idp-janitor/adapters/d1";
import { kvCache } from "idp-janitor/caches/kv";
import { type SweepParams, type SweepResult, scheduledHandler, sweep } from "idp-janitor/cloudflare";

interface Env {
  readonly DB: D1Database;
  readonly KEYS: KVNamespace;
  /** A dead man's switch: `npx wrangler secret put HEARTBEAT_URL`. */
  readonly HEARTBEAT_URL?: string;
}

/** A job of any size, to its end, in steps that may fail and be tried again. */
export class SweepWorkflow extends WorkflowEntrypoint<Env, SweepParams> {
  override run(event: WorkflowEvent<SweepParams>, step: WorkflowStep): Promise<SweepResult> {
    return sweep(event, step, { open: () => d1(this.env.DB) });
  }
}

export default {
  // At night, every ten minutes, a bounded part of what is due; and the keys of the providers once an hour.
  scheduled: scheduledHandler((env: Env) => ({
    plan: "free",
    dryRun: true, // take it out when you have seen in the log what would go
    store: d1(env.DB),
    crons: {
      "*/10 1-5 * * *": [
        "remove_stale_unverified_accounts",
        "remove_complete_and_stale_email_change_requests",
        "cleartokens",
        "clearsessions",
      ],
      "15 * * * *": ["refresh_oidc_clients_jwks"],
    },
    jobs: { remove_stale_unverified_accounts: { days: 90 } },
    keys: {
      providers: {
        google: {
          jwksUri: "https://www.googleapis.com/oauth2/v3/certs",
          issuer: "https://accounts.google.com",
        },
      },
      cache: kvCache(env.KEYS),
    },
    ...(env.HEARTBEAT_URL ? { heartbeat: env.HEARTBEAT_URL } : {}),
  })),
};
