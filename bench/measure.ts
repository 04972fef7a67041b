import { spawn } from "node:child_process";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

/** What one run took, the whole process from start to end, as whoever schedules it sees it. */
export interface Measurement {
  readonly milliseconds: number;
  readonly peakBytes: number;
  /** Of the database server, where there is one. */
  readonly serverCpuMs?: number;
  readonly slices?: number;
}

/** A measurement of a process, and what it printed. */
export type Measured = Measurement & { readonly output: string };

/** Measures a script for Node, named as `local` takes it. */
export function measureNode(script: string, args: readonly string[]): Promise<Measured> {
  return measure(process.execPath, ["--import", local("peak-memory.ts"), local(script), ...args], {});
}

/** Runs a child to its end. It reports its peak memory on descriptor 3. */
export async function measure(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Measured> {
  const began = performance.now();
  const child = spawn(program, args, {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "inherit", "pipe"],
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  // A bench that is ended takes along what it measures.
  const kill = () => child.kill();
  process.once("exit", kill);
  const memory = child.stdio[3];
  if (!(memory instanceof Readable) || child.stdout === null) throw new Error("a pipe is missing");
  const [status, output, peak] = await Promise.all([ended, text(child.stdout), text(memory)]);
  const milliseconds = performance.now() - began;
  process.off("exit", kill);
  if (status !== 0) throw new Error(`${args.join(" ")} ended with status ${status}`);
  return { milliseconds, peakBytes: Number(peak), output };
}

/** The path of what is named from `bench/` on, or by its own path. */
export function local(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}
