/**
 * Addresses of database servers, `SCHEME://USER:PASSWORD@HOST:PORT/NAME?OPTIONS`.
 *
 * They are parsed here and not by the drivers, so that whatever is wrong is told before anything is touched, in the same
 * words for all of them. What is refused is not repeated: a password may be anywhere in an address that is not well formed.
 */

import { userInfo } from "node:os";
import { JanitorError } from "../../errors.ts";
import { suggestion } from "../suggest.ts";

/** What an address says, decoded. Absent is what it leaves open; a host or a name of no characters counts as such. */
export interface ServerUrl {
  readonly user?: string;
  readonly password?: string;
  /** A name, an IP address without brackets, or a folder of Unix sockets. */
  readonly host?: string;
  readonly port?: number;
  /** The name of the database. */
  readonly name?: string;
  /** The options after `?`, by name. */
  readonly options: ReadonlyMap<string, string>;
}

/** What an address of a kind of server may look like. */
export interface UrlForm {
  /** A whole one, for messages. */
  readonly example: string;
  /** The options that are known. */
  readonly options: readonly string[];
  /** Those that are taken and of no account. */
  readonly ignored?: readonly string[];
  /** The name of an option that is meant by another spelling of it. */
  readonly canonical?: (option: string) => string;
  /** What to write for an option that is not known here, but elsewhere. */
  readonly instead?: Readonly<Record<string, string>>;
}

const PARTS =
  /^[^:]+:\/\/(?:(?<user>[^/?#]*?)(?::(?<password>[^/?#]*))?@)?(?<host>\[[^\]/?#@]*\]|[^:/?#@]*)(?::(?<port>[^/?#@]*))?(?:\/(?<name>[^?#]*))?(?:\?(?<query>[^#]*))?$/s;

/**
 * Parses the address of a server.
 *
 * @throws JanitorError `invalid_setting` with what to write instead
 */
export function parseServerUrl(url: string, form: UrlForm): ServerUrl {
  const parts = PARTS.exec(url)?.groups;
  if (!parts) throw wrongUrl(`is not well formed (${ENCODE})`, form);
  const { user = "", password = "", host = "", port, name = "", query = "" } = parts;
  if (/[/@]/.test(name)) throw wrongUrl(`has a \`/\` or \`@\` in the name of the database (${ENCODE})`, form);
  if (host.includes(",")) throw wrongUrl("names several hosts; one that can be written to is needed", form);
  const decode = (text: string) => decoded(text, form);
  const texts = { user: decode(user), password: decode(password), name: decode(name) };
  return {
    ...withoutEmpty({ ...texts, host: decode(host.replace(/^\[(.*)\]$/s, "$1")) }),
    // `host:/name` leaves the port open.
    ...(port && { port: portOf(port, form) }),
    options: optionsOf(query, form),
  };
}

/** The number of a port. */
export function portOf(text: string, form: UrlForm): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw wrongUrl(`has a port that is no number from 1 to 65535 (${ENCODE})`, form);
}

/** What is thrown at an address that cannot be meant. */
export function wrongUrl(what: string, { example }: Pick<UrlForm, "example">): JanitorError {
  return new JanitorError("invalid_setting", `the address of the database ${what}: write \`${example}\``);
}

/** The commonest mistake of all. */
const ENCODE = "in a user, a password or a name, write `/ ? # @ : %` as `%2F %3F %23 %40 %3A %25`";

/** A host as it stands in an address. */
export function shownHost(host: string): string {
  if (host.startsWith("/")) return encodeURIComponent(host);
  return host.includes(":") ? `[${host.toLowerCase()}]` : encodeURIComponent(host.toLowerCase());
}

/** Whom the clients of databases take us for; a container may run as nobody who has a name. */
export function ourselves(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}

function optionsOf(query: string, form: UrlForm): ReadonlyMap<string, string> {
  const options = new Map<string, string>();
  for (const [typed, value] of new URLSearchParams(query)) {
    const name = form.canonical?.(typed) ?? typed;
    if (form.ignored?.includes(name)) continue;
    if (!form.options.includes(name)) throw unknownOption(typed, form);
    if (options.has(name)) throw new JanitorError("invalid_setting", `${named(typed)} is given twice`);
    options.set(name, value);
  }
  return options;
}

function unknownOption(option: string, form: UrlForm): JanitorError {
  const instead = form.instead?.[option];
  // Where an address was cut at the wrong place, this is a piece of it.
  const shown = /^[A-Za-z_-]{1,40}$/.test(option) ? named(option) : "an option";
  const near = suggestion(option, form.options) || `; known are ${form.options.join(", ")}`;
  return new JanitorError(
    "invalid_setting",
    `${shown} is not known${instead ? `: write \`${instead}\`` : near}`,
  );
}

/** An option as messages call it. */
export function named(option: string): string {
  return `\`${option}\` in the address of the database`;
}

function decoded(text: string, form: UrlForm): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw wrongUrl(`has a \`%\` that begins no encoded character (${ENCODE})`, form);
  }
}

function withoutEmpty<T extends Record<string, string>>(texts: T): Partial<T> {
  return Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== "")) as Partial<T>;
}
