import { after } from "node:test";
import { startWorker } from "../support/worker.ts";
import { testCases } from "./conformance.ts";

const running = await startWorker(new URL("workers/kept-keys.ts", import.meta.url), {
  kv_namespaces: [{ binding: "KEYS", id: "keys" }],
});
after(() => running.close());

await testCases("keys in workerd, on", running);
