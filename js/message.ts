/** What a thrown value says, as it stands in the message of another error: on one line. */

/**
 * The message of any thrown value. Where several addresses were tried, what each gave; of `fetch`, why it failed; of the operating
 * system's errors what they say in words.
 */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return oneLine(String(error));
  if (error instanceof AggregateError && error.message === "") return error.errors.map(messageOf).join(", ");
  const isSystem = "syscall" in error && "errno" in error;
  const words = isSystem
    ? error.message.replace(/^[A-Z0-9]+: /, "").replace(/, \w+( '.*)?$/s, "")
    : error.message;
  const why = error instanceof TypeError && error.cause instanceof Error ? `: ${messageOf(error.cause)}` : "";
  return oneLine(words + why);
}

/** Text with every run of white space and control characters made one blank. */
export function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a file name must not steer the terminal
  return text.replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, " ").trim();
}
