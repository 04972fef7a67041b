/** What runs jobs in Cloudflare Workers. */
export type { FanOutMessage, FanOutResult, FanOutStart } from "../fan-out.ts";
export type { TurnOutcome } from "../turns.ts";
export type { Heartbeat } from "./heartbeat.ts";
export type { Plan } from "./plans.ts";
export {
  type QueueBinding,
  type QueueMessage,
  type QueueOptions,
  queueHandler,
  startFanOut,
} from "./queue.ts";
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
