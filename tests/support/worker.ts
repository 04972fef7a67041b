/** Workers for tests, built by wrangler and run in workerd. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createTestHarness, type Unstable_RawConfig, type WorkerHandle } from "wrangler";

/** The date whose behaviour of the runtime the tests are for. */
const COMPATIBILITY_DATE = "2026-11-01";

// What describes the caller's place would be fetched from Cloudflare, and no test is about it.
process.env.CLOUDFLARE_CF_FETCH_ENABLED = "false";

/** A Worker that runs. */
export interface RunningWorker {
  readonly worker: WorkerHandle;
  readonly url: URL;
  close(): Promise<void>;
}

/** Starts the Worker whose main module is at an address, with the bindings of a configuration; storage is its own, and empty. */
export async function startWorker(main: URL, config: Unstable_RawConfig = {}): Promise<RunningWorker> {
  // What wrangler builds lies in a folder of its own.
  const root = mkdtempSync(join(tmpdir(), "idp-janitor-worker-"));
  const harness = createTestHarness({
    root,
    workers: [
      {
        config: {
          name: "tests",
          main: fileURLToPath(main),
          compatibility_date: COMPATIBILITY_DATE,
          send_metrics: false,
          ...config,
        },
      },
    ],
  });
  const { url } = await harness.listen();
  const close = async () => {
    await harness.close();
    rmSync(root, { recursive: true, force: true });
  };
  return { worker: harness.getWorker(), url, close };
}
