import { after } from "node:test";
import { startWorker } from "../support/worker.ts";
import { testCases } from "./conformance.ts";

const running = await startWorker(new URL("workers/d1.ts", import.meta.url), {
  d1_databases: [{ binding: "DB", database_name: "conformance", database_id: "conformance" }],
});
after(() => running.close());

await testCases("d1", running);
