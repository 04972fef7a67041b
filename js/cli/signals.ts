/** What a person at the terminal, or the init system, has asked for. */
export interface Interruption {
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /** Gives the signals back to the system. */
  dispose(): void;
}

/**
 * Turns the first SIGINT or SIGTERM into an abort, which ends the run after the slice in hand. From then on the signals
 * mean what they mean to any process: a second one ends it at once (a shell then sees status 130 or 143), and whoever opens
 * the database next rolls back what was in hand. While SQLite waits for a lock no signal is heard; that ends after the
 * patience of the store.
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
