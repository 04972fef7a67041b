/** What a person at the terminal, or the init system, has asked for. */
export interface Interruption {
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /** Gives the signals back to the system. */
  dispose(): void;
}

/**
 * Turns the first SIGINT or SIGTERM into an abort, which ends the run after the slice in hand. From then on the signals
 * mean what they mean to any process, so that a second one ends it at once (a shell then sees status 130 or 143), even
 * while it waits inside SQLite; the transaction in hand is rolled back by whoever opens the database next.
 */
export function abortOnSignals(): Interruption {
  const controller = new AbortController();
  const dispose = (): void => {
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
  };
  const interrupt = (): void => {
    dispose();
    controller.abort();
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  return { signal: controller.signal, dispose };
}
