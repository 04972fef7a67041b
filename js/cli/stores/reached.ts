import { JanitorError } from "../../errors.ts";
import { messageOf } from "../../message.ts";
import { within } from "../within.ts";
import type { OpenedStore } from "./kind.ts";

/** How long a server may take to let us in, in milliseconds. */
export const CONNECT_MS = 10_000;

/** How a store is reached. */
export interface Way {
  /** Its address, without credentials. */
  readonly address: string;
  /** The option by which such an address names the authority to trust, and whether this one does. */
  readonly authority?: { readonly option: string; readonly isNamed: boolean };
  /** How long it may take, in milliseconds; for drivers that give up by themselves, longer than they take. */
  readonly patienceMs: number;
  /** Ends what was begun, without a word to whoever has refused us, or never answered. */
  giveUp(): void;
}

/**
 * The store, once its database has answered. A driver connects with its first statement; this one is to tell of a wrong
 * password before anything has begun, and with the address.
 *
 * @throws JanitorError with the adapter's code; the store is given up
 */
export async function reached(
  opened: OpenedStore,
  { address, authority, patienceMs, giveUp }: Way,
): Promise<OpenedStore> {
  try {
    await within(patienceMs, opened.store.query("SELECT 1", []));
    return opened;
  } catch (error) {
    giveUp();
    const { code: told, message, cause } = known(error);
    // mysql2's code for TLS that could not be had puts Node's out of sight, by which the adapter would know.
    const code = codeOf(cause) === "HANDSHAKE_SSL_ERROR" ? "store_unavailable" : told;
    const why = causeOf(cause, message);
    const advice = authority && isOfTrust(cause) ? `; ${adviceOn(authority)}` : "";
    const whole = `\`${address}\` cannot be opened: ${message}${why}${advice}; nothing was changed`;
    throw new JanitorError(code, whole, { cause: cause ?? error });
  }
}

function adviceOn({ option, isNamed }: NonNullable<Way["authority"]>): string {
  return isNamed
    ? `the file that \`${option}\` names holds no authority that has signed the server's certificate`
    : `\`${option}=FILE\` names the authority to trust`;
}

function known(error: unknown): JanitorError {
  if (!(error instanceof JanitorError)) {
    return new JanitorError("store_unavailable", messageOf(error), { cause: error });
  }
  if (!WITHOUT_PASSWORD.test(error.message)) return error;
  return new JanitorError("store_denied", "the server asks for a password, and none is given", {
    cause: error,
  });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

/** pg's words where it has nothing to answer the server with. */
const WITHOUT_PASSWORD = /client password must be a/;

/** What lies at the bottom of it, where that has not been told: "fetch failed" says nothing. */
function causeOf(error: unknown, told: string): string {
  if (!(error instanceof Error)) return "";
  if (error.cause instanceof Error) return causeOf(error.cause, told);
  const message = messageOf(error);
  return message === "" || told.includes(message) || WITHOUT_PASSWORD.test(message) ? "" : `: ${message}`;
}

/** Whether the server's certificate is one that nobody we trust has signed. mysql2 puts a code of its own over Node's. */
function isOfTrust(error: unknown): boolean {
  return error instanceof Error && /self-signed certificate|unable to (get|verify)/.test(error.message);
}
