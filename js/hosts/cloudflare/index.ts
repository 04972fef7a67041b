/** What runs jobs in Cloudflare Workers. */
export type { Heartbeat } from "./heartbeat.ts";
export type { Plan } from "./plans.ts";
export {
  type ScheduledEntry,
  type ScheduledEvent,
  type ScheduledJob,
  type ScheduledOptions,
  scheduledHandler,
} from "./scheduled.ts";
export {
  type SweepEvent,
  type SweepOptions,
  type SweepParams,
  type SweepResult,
  type SweepRetries,
  type SweepStep,
  type SweepStepConfig,
  sweep,
} from "./workflow.ts";
