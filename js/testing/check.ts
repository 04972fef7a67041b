/** Checks that need no test framework. */

/** One case of a conformance suite. */
export interface ConformanceCase {
  /** What must hold, as a sentence. */
  readonly name: string;
  /** Rejects with an Error that says what does not. */
  run(): Promise<void>;
}

/** Rejects unless both are the same as JSON, integers beyond 2^53 included. */
export function same(actual: unknown, expected: unknown, what: string): void {
  const [left, right] = [toText(actual), toText(expected)];
  if (left !== right) throw new Error(`${what}: expected ${right}, got ${left}`);
}

/** Rejects unless the work rejects with one of these codes; resolves with what was thrown. */
export async function rejects(
  work: Promise<unknown>,
  codes: readonly string[],
  what: string,
): Promise<unknown> {
  const thrown = await work.then(
    () => undefined,
    (error: unknown) => error ?? new Error("nothing was thrown"),
  );
  if (thrown === undefined) throw new Error(`${what}: it did not fail`);
  const code = typeof thrown === "object" && thrown !== null && "code" in thrown ? thrown.code : undefined;
  if (typeof code !== "string" || !codes.includes(code)) {
    throw new Error(
      `${what}: expected the code ${codes.join(" or ")}, got ${String(code)} (${String(thrown)})`,
    );
  }
  return thrown;
}

/** What the work resolves with; rejects if that takes longer. */
export async function within<T>(milliseconds: number, work: Promise<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const patience = new Promise<never>((_, reject) => {
    const late = () => reject(new Error(`${what}: not done in ${milliseconds} ms`));
    timer = setTimeout(late, milliseconds);
  });
  try {
    return await Promise.race([work, patience]);
  } finally {
    clearTimeout(timer);
  }
}

function toText(value: unknown): string {
  return (
    JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? `${inner}n` : inner)) ??
    "undefined"
  );
}
