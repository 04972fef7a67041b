/** Time: one after another, and not for ever. */

/** Makes what runs pieces of work one after another, in the order in which they are handed in, for one connection serves one. */
export function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
}

/** How long a connection may take to say goodbye, in milliseconds. */
const FAREWELL_MS = 2_000;

/** Waits until the work has ended, well or not, and no longer than one waits for a goodbye. Never rejects. */
export async function farewell(work: () => Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, FAREWELL_MS);
  });
  try {
    await Promise.race([work(), patience]);
  } catch {
    // It could not; what follows does not depend on it.
  } finally {
    clearTimeout(timer);
  }
}
