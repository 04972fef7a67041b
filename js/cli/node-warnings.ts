/**
 * Does something while Node's own warnings of the given kinds are not printed. All others are.
 *
 * @param unwanted the start of the message of an experimental or a deprecated feature, or the `code` of any warning
 */
export async function withoutWarnings<T>(unwanted: readonly string[], work: () => Promise<T>): Promise<T> {
  const original = process.emitWarning;
  const filtered = (...call: unknown[]): void => {
    const [warning, type, code] = call;
    const message = warning instanceof Error ? warning.message : String(warning);
    const isOfFeature = type === "ExperimentalWarning" || type === "DeprecationWarning";
    if (isOfFeature && unwanted.some((start) => message.startsWith(start))) return;
    if (typeof code === "string" && unwanted.includes(code)) return;
    Reflect.apply(original, process, call);
  };
  process.emitWarning = filtered;
  try {
    return await work();
  } finally {
    process.emitWarning = original;
  }
}
