import type { JanitorError } from "../errors.ts";
import { messageOf, oneLine } from "../message.ts";

/** Where the command line writes: results on standard output, warnings and errors on standard error. */
export class Output {
  /** Whether standard output carries one JSON object and nothing else. */
  json: boolean;
  /** Whether results are kept to oneself. JSON that was asked for is printed all the same. */
  quiet = false;
  readonly #warned = new Set<string>();

  constructor(json: boolean) {
    this.json = json;
  }

  /** Lines for a person. */
  lines(lines: readonly string[]): void {
    if (!this.json && !this.quiet) process.stdout.write(`${lines.join("\n")}\n`);
  }

  /** The one object of `--json`. */
  object(value: object): void {
    if (this.json) process.stdout.write(`${JSON.stringify(value)}\n`);
  }

  /** What a person should look at; each sentence once. */
  warnings(sentences: readonly string[]): void {
    for (const sentence of sentences) {
      if (this.#warned.has(sentence)) continue;
      this.#warned.add(sentence);
      process.stderr.write(`warning: ${oneLine(sentence)}\n`);
    }
  }

  /** A failure of a part of the work, where the rest goes on. */
  failure(message: string, code: string): void {
    process.stderr.write(`idp-janitor: ${oneLine(message)} [${code}]\n`);
  }

  /** The one line of a failure, and with `--json` its object. */
  error(error: JanitorError): void {
    const { code, message, report } = error;
    this.object({ error: { code, message: oneLine(message) }, ...(report && { report }) });
    this.failure(message, code);
    if (process.env.IDP_JANITOR_DEBUG === "1") process.stderr.write(`${inspected(error)}\n`);
  }
}

function inspected(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by: ${inspected(error.cause)}` : "";
  return `${error.stack ?? error.message}${cause}`;
}

/**
 * A reader that goes away, as `head` does, is no reason to fail; output that could not be written is.
 *
 * @param onFailure told when output was lost
 */
export function watchOutputStreams(onFailure: () => void): void {
  const lost = (error: NodeJS.ErrnoException): boolean => error.code !== "EPIPE";
  let told = false;
  process.stdout.on("error", (error) => {
    if (!lost(error) || told) return;
    told = true;
    process.stderr.write(`idp-janitor: the output could not be written: ${messageOf(error)} [internal]\n`);
    onFailure();
  });
  process.stderr.on("error", (error) => {
    if (lost(error)) onFailure();
  });
}
