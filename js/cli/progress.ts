import { SingleBar } from "cli-progress";
import type { Progress } from "../report.ts";

/** Shows a run while it works. */
export interface ProgressBar {
  /** Shows where the run stands. */
  show(progress: Progress): void;
  /** Takes the bar off the terminal. */
  stop(): void;
}

/** A bar with rows, rate and time left, on a terminal; nothing anywhere else. */
export function createProgressBar(stream: NodeJS.WriteStream, wanted: boolean): ProgressBar {
  return wanted && stream.isTTY ? new TerminalBar(stream) : { show: () => {}, stop: () => {} };
}

/** One bar for all the sweeps of a run; rate and time left are those of the table at hand. */
class TerminalBar implements ProgressBar {
  readonly #bar: SingleBar;
  #step = 0;
  #began = { walked: 0, elapsedMs: 0 };
  #last: Progress | undefined;

  constructor(stream: NodeJS.WriteStream) {
    this.#bar = new SingleBar({
      stream,
      format: "[{bar}] {percentage}% {value}/{total} rows, {rate}/s, {left} left - {step} {table}",
      barsize: 16,
      clearOnComplete: true,
      // Cut lines instead of switching the terminal's wrapping off: a kill would leave it off.
      linewrap: true,
    });
  }

  show(progress: Progress): void {
    if (progress.step !== this.#step) this.#begin(progress);
    this.#last = progress;
    const rows = progress.walked - this.#began.walked;
    const seconds = (progress.elapsedMs - this.#began.elapsedMs) / 1000;
    const rate = rows > 0 && seconds > 0 ? rows / seconds : undefined;
    const payload = {
      step: `${progress.step}/${progress.steps}`,
      table: progress.table,
      rate: rate === undefined ? "-" : String(Math.round(rate)),
      left: rate === undefined ? "-" : duration(Math.max(0, progress.total - progress.walked) / rate),
    };
    // A table that grows while it is walked is longer than it was when its sweep began.
    const total = Math.max(progress.total, progress.walked);
    if (this.#bar.isActive) {
      this.#bar.setTotal(total);
      this.#bar.update(progress.walked, payload);
    } else {
      this.#bar.start(total, progress.walked, payload);
    }
  }

  stop(): void {
    this.#bar.stop();
  }

  #begin(progress: Progress): void {
    this.#step = progress.step;
    // The first news of a pass that goes on from a checkpoint come from the middle of a table.
    this.#began = this.#last
      ? { walked: 0, elapsedMs: this.#last.elapsedMs }
      : { walked: progress.walked, elapsedMs: progress.elapsedMs };
  }
}

function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m${String(whole % 60).padStart(2, "0")}s`;
  return `${Math.floor(whole / 3600)}h${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")}m`;
}
