/** As much of workerd's own module as the tests use. */
declare module "cloudflare:workers" {
  import type { CloudflareWorkersModule as Module } from "@cloudflare/workers-types";

  export type WorkflowEvent<Params> = Module.WorkflowEvent<Params>;
  export type WorkflowStep = Module.WorkflowStep;
  export const WorkflowEntrypoint: typeof Module.WorkflowEntrypoint;
}
