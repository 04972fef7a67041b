// What every server of the tests' own needs: a free port, a folder that goes with the process, a user who is not root.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** How often another port is tried, should somebody else be faster. */
const ATTEMPTS = 5;

/** How much of what a server said an error repeats. */
const LINES_KEPT = 40;

/** `nobody`, on every Linux. */
const NOBODY = { uid: 65534, gid: 65534 };

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** Added to our own environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Whom servers run as where we are root, which database servers refuse; else nobody in particular: ourselves. */
export function serverUser(): { uid?: number; gid?: number } {
  return process.getuid?.() === 0 ? NOBODY : {};
}

/** Options of a child process that is the server, or works on its data. */
export function asServer(command: Pick<Command, "env">, folder: string) {
  return { cwd: folder, env: { ...process.env, ...command.env }, ...serverUser() };
}

/** A new folder that the server may write to; gone when the process ends, or by the function that comes with it. */
export function serverFolder(name: string): { folder: string; remove: () => void } {
  const folder = giveToServer(mkdtempSync(join(tmpdir(), `idp-janitor-${name}-`)));
  // A server that was just told to end may still be writing.
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
  return { folder, remove };
}

/** Makes a file or folder of ours the server's. */
export function giveToServer(path: string): string {
  const { uid, gid } = serverUser();
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
  return path;
}

/** Calls `start` with a free port, and again with another where it fails. */
export async function onFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(await freePort());
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

/**
 * Starts a server in the foreground and waits until it says `ready`; rejects with what it said if it ends before, or
 * cannot be started at all. It does not keep our own process running.
 */
export async function startServer(command: Command, ready: string, folder: string): Promise<ChildProcess> {
  const server = spawn(command.file, command.args, {
    ...asServer(command, folder),
    stdio: ["ignore", "ignore", "pipe"],
  });
  if (!(server.stderr instanceof Socket)) throw new Error("what the server says is not read");
  const said: string[] = [];
  const lines = createInterface({ input: server.stderr });
  const outcome = await new Promise<Error | undefined>((resolve) => {
    server.once("error", resolve);
    lines.on("line", (line) => {
      said.push(line);
      if (said.length > LINES_KEPT) said.shift();
      if (line.includes(ready)) resolve(undefined);
    });
    lines.on("close", () => resolve(new Error([`${command.file} did not start`, ...said].join("\n"))));
  });
  if (outcome) {
    await endServer(server, "SIGKILL");
    throw outcome;
  }
  server.stderr.unref();
  server.unref();
  return server;
}

/** Ends a server by the given signal and waits until it is gone. */
export async function endServer(server: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(server)) return;
  server.ref();
  const gone = once(server, "exit");
  server.kill(signal);
  await gone;
}

export function hasEnded(server: ChildProcess): boolean {
  return server.pid === undefined || server.exitCode !== null || server.signalCode !== null;
}

/** Does something when the process ends, be it by Ctrl-C or by a test runner that has lost its patience. */
export function atExit(undo: () => void): { cancel: () => void } {
  endBySignals();
  process.once("exit", undo);
  return { cancel: () => process.off("exit", undo) };
}

let signalsEnd = false;

/** Without a listener these end the process with no `exit` event. */
function endBySignals(): void {
  if (signalsEnd) return;
  signalsEnd = true;
  process.once("SIGINT", () => process.exit(130));
  process.once("SIGTERM", () => process.exit(143));
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (typeof address !== "object" || address === null) throw new Error("there is no free port");
  return address.port;
}
