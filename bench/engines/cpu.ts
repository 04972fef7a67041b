import { existsSync, readFileSync } from "node:fs";

/** What Linux counts the time of processes in, on all machines that Node runs on. */
const TICK_MS = 10;

/**
 * Milliseconds of CPU that a process, its children and those that it had before have taken, or undefined where the
 * system does not tell.
 */
export function cpuOf(pid: number): number | undefined {
  const children = `/proc/${pid}/task/${pid}/children`;
  if (!existsSync(children)) return undefined;
  const living = readFileSync(children, "utf8").match(/\d+/g) ?? [];
  return [pid, ...living.map(Number)].reduce((sum, each) => sum + ownCpu(each), 0);
}

/** Of one process, and of the children that it has seen end. */
function ownCpu(pid: number): number {
  try {
    // The name, in parentheses, may hold anything; the third field follows it.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
    const [user, system, childrenUser, childrenSystem] = fields.slice(11, 15).map(Number);
    return ((user ?? 0) + (system ?? 0) + (childrenUser ?? 0) + (childrenSystem ?? 0)) * TICK_MS;
  } catch {
    // It has ended just now: the next reading has it among its parent's.
    return 0;
  }
}
