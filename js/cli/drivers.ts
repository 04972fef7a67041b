import { type ErrorCode, JanitorError } from "../errors.ts";
import { messageOf } from "../message.ts";

/**
 * Loads a package that only those install who need it.
 *
 * @param name what npm calls it
 * @param what what needs it, at the beginning of a sentence
 * @param code what its absence is told as
 * @throws JanitorError with that code, and what to type
 */
export async function loadDriver<T>(
  name: string,
  what: string,
  code: ErrorCode,
  load: () => Promise<T>,
): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const message = isMissing(error, name)
      ? `${what} needs the npm package \`${name}\`, which is not there; install it: npm install ${name}`
      : `${what} needs the npm package \`${name}\`, which cannot be loaded: ${messageOf(error)}`;
    throw new JanitorError(code, message, { cause: error });
  }
}

/** Whether it is the package itself that is not there, and not one that it needs in turn. */
function isMissing(error: unknown, name: string): boolean {
  return (
    error instanceof Error &&
    "code" in error &&
    error.code === "ERR_MODULE_NOT_FOUND" &&
    error.message.includes(`'${name}'`)
  );
}
