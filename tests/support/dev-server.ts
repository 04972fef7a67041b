/** Wrangler's own development server as a process of its own, which can be killed, and keeps its storage in a folder. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Unstable_RawConfig } from "wrangler";

const WRANGLER = join(import.meta.dirname, "../../node_modules/.bin/wrangler");
const PATIENCE_MS = 60_000;

/** A development server that runs. */
export interface DevServer {
  readonly url: string;
  /** Kills it and all its processes, without a word. */
  kill(): Promise<void>;
}

/** Starts a server on a Worker whose configuration, and whose storage, is in a folder. */
export async function startDevServer(folder: string, config: Unstable_RawConfig): Promise<DevServer> {
  writeFileSync(join(folder, "wrangler.json"), JSON.stringify({ ...config, send_metrics: false }));
  const args = ["dev", "--port", "0", "--inspector-port", "0", "--persist-to", "state"];
  const child = spawn(WRANGLER, [...args, "--show-interactive-dev-session=false"], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own, so that workerd goes with it.
    detached: true,
    env: { ...process.env, CLOUDFLARE_CF_FETCH_ENABLED: "false" },
  });
  const killAll = () => {
    try {
      if (child.pid) process.kill(-child.pid, "SIGKILL");
    } catch {
      // It is gone already.
    }
  };
  process.once("exit", killAll);
  const url = await new Promise<string>((resolve, reject) => {
    let said = "";
    const fail = () => reject(new Error(`the development server does not start:\n${said}`));
    const timer = setTimeout(fail, PATIENCE_MS);
    const read = (chunk: Buffer) => {
      said += chunk.toString();
      const [, address] = /Ready on (http:\/\/\S+)/.exec(said) ?? [];
      if (address === undefined) return;
      clearTimeout(timer);
      resolve(address);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("exit", fail);
  });
  return {
    url,
    async kill() {
      const gone = once(child, "exit");
      killAll();
      await gone;
      process.off("exit", killAll);
    },
  };
}
