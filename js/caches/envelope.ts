/** An entry as one text with its key and its deadline, for places that keep neither as exactly as the contract has it. */

/** What is kept under a key. */
export interface Entry {
  readonly key: string;
  readonly value: string;
  /** When its time is over, in milliseconds since 1970. */
  readonly expires: number;
}

/** The entry as JSON: it begins with a brace, so no reader takes a byte order mark off, and no character is lost. */
export function sealed({ key, value, expires }: Entry): string {
  return JSON.stringify({ key, expires, value });
}

/**
 * The value that was sealed under a key, or null where its time is over.
 *
 * @param now milliseconds since 1970
 * @throws Error if the text is anything but an entry of that key, whole
 */
export function unsealed(text: string, key: string, now: number): string | null {
  const entry = parsed(text);
  if (!isEntry(entry)) throw new Error("what is there is no entry of a key cache");
  // A place that takes two keys for one would hand out the keys of another provider.
  if (entry.key !== key) throw new Error(`what is there is the entry of ${JSON.stringify(entry.key)}`);
  return entry.expires > now ? entry.value : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isEntry(found: unknown): found is Entry {
  if (typeof found !== "object" || found === null) return false;
  const { key, value, expires }: Partial<Record<keyof Entry, unknown>> = found;
  return typeof key === "string" && typeof value === "string" && Number.isFinite(expires);
}
