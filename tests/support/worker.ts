/** Workers for tests, built by wrangler and run in workerd. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createTestHarness, type Unstable_RawConfig, type WorkerHandle } from "wrangler";

/** The date whose behaviour of the runtime the tests are for. */
export const COMPATIBILITY_DATE = "2026-11-01";

// What describes the caller's place would be fetched from Cloudflare, and no test is about it.
process.env.CLOUDFLARE_CF_FETCH_ENABLED = "false";

/** A Worker that runs. */
export interface RunningWorker {
  readonly worker: WorkerHandle;
  readonly url: URL;
  /** What it has printed since it was asked last. */
  takeLogs(): string[];
  close(): Promise<void>;
}

/** Starts the Worker whose main module is at an address, with the bindings of a configuration; storage is its own, and empty. */
export async function startWorker(main: URL, config: Unstable_RawConfig = {}): Promise<RunningWorker> {
  // What wrangler builds lies in a folder of its own.
  const root = mkdtempSync(join(tmpdir(), "idp-janitor-worker-"));
  const running = await start(root, {
    config: {
      name: "tests",
      main: fileURLToPath(main),
      compatibility_date: COMPATIBILITY_DATE,
      send_metrics: false,
      ...config,
    },
  });
  const close = async () => {
    await running.close();
    rmSync(root, { recursive: true, force: true });
  };
  return { ...running, close };
}

/** Starts the Worker of a project, by its wrangler configuration; storage is its own, and empty. */
export function startProject(configPath: string): Promise<RunningWorker> {
  return start(dirname(configPath), { configPath });
}

type WorkerInput = Parameters<typeof createTestHarness>[0] extends { workers: (infer Input)[] } | undefined
  ? Input
  : never;

async function start(root: string, input: WorkerInput): Promise<RunningWorker> {
  const harness = createTestHarness({ root, workers: [input] });
  const { url } = await harness.listen();
  const takeLogs = () => {
    const messages = harness.getLogs().map(({ message }) => message);
    harness.clearLogs();
    return messages;
  };
  return { worker: harness.getWorker(), url, takeLogs, close: () => harness.close() };
}
