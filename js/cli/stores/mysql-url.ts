import { ourselves, parseServerUrl, shownHost, type UrlForm, wrongUrl } from "./server-url.ts";

/** Where a MySQL or MariaDB is, and whom it is to know us as. */
export interface MysqlAddress {
  readonly host: string;
  readonly port: number;
  /** The file of a Unix socket, which goes before host and port. */
  readonly socketPath?: string;
  readonly database: string;
  readonly user: string;
  readonly password?: string;
  readonly options: ReadonlyMap<string, string>;
}

const FORM: UrlForm = {
  example: "mysql://USER:PASSWORD@HOST:3306/NAME",
  options: ["ssl-mode", "ssl", "ssl-ca", "ssl-cert", "ssl-key", "socketPath", "charset"],
  // Drivers and tools agree on the words, and not on how they are written.
  canonical: (option) => {
    const words = option.toLowerCase().replaceAll("_", "-");
    if (["socketpath", "socket", "unix-socket"].includes(words)) return "socketPath";
    return words === "sslmode" ? "ssl-mode" : words;
  },
};

/**
 * Parses `mysql://…`.
 *
 * @throws JanitorError `invalid_setting` with what to write instead
 */
export function parseMysqlUrl(url: string): MysqlAddress {
  const {
    host = "localhost",
    port = 3306,
    name,
    user = ourselves(),
    password,
    options,
  } = parseServerUrl(url, FORM);
  if (!name) throw wrongUrl("names no database", FORM);
  if (!user) throw wrongUrl("names no user", FORM);
  // What we read and write is text of any kind, whatever the tables are in.
  if (!/^utf8(mb4|$)/i.test(options.get("charset") ?? "utf8mb4")) {
    throw wrongUrl("has a `charset` other than utf8mb4, which is what is spoken", FORM);
  }
  const socketPath = options.get("socketPath");
  return {
    ...{ host, port, database: name, user, options },
    ...(password && { password }),
    ...(socketPath && { socketPath }),
  };
}

/** Without credentials. */
export function shownMysql({ host, port, socketPath, database }: MysqlAddress): string {
  const place = socketPath ? encodeURIComponent(socketPath) : `${shownHost(host)}:${port}`;
  return `mysql://${place}/${encodeURIComponent(database)}`;
}
