// Loaded into a child by `node --import`: reports the peak memory on descriptor 3 when the process ends.

import { readFileSync, writeSync } from "node:fs";

process.on("exit", () => writeSync(3, String(peakMemory())));

/** The process's own peak in bytes; `maxRSS` on Linux begins with that of its parent. */
function peakMemory(): number {
  if (process.platform !== "linux") return process.resourceUsage().maxRSS * 1024;
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return Number(kilobytes) * 1024;
}
