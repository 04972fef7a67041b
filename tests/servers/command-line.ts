// The command line as a process that can be killed.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { JobName, Report } from "idp-janitor";
import { NOW } from "../support/original-cases.ts";

const MAIN = fileURLToPath(new URL("../../pkg/cli/main.js", import.meta.url));

export interface Ended {
  /** The exit status; null for one that was killed. */
  readonly status: number | null;
  /** What it printed with `--json`. */
  readonly report?: Report;
  readonly errors: string;
}

export interface Process {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** Begins a job on a database. */
export function startJob(url: string, job: JobName, ...args: string[]): Process {
  const all = [MAIN, job, "--now", NOW, "--quiet", "--json", ...args];
  // Not where everybody sees the password.
  const env = { ...process.env, DATABASE_URL: url };
  const child = spawn(process.execPath, all, { env, stdio: ["ignore", "pipe", "pipe"] });
  const printed = Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  const ended = printed.then(([output, errors]) => ({
    ...{ status: child.exitCode, errors },
    ...(output.startsWith("{") && { report: JSON.parse(output) as Report }),
  }));
  return { child, ended };
}
