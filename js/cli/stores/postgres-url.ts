import { JanitorError } from "../../errors.ts";
import {
  named,
  ourselves,
  parseServerUrl,
  portOf,
  type ServerUrl,
  shownHost,
  type UrlForm,
  wrongUrl,
} from "./server-url.ts";

/** Where a PostgreSQL is, and whom it is to know us as; what the address leaves open is as libpq's variables have it. */
export interface PostgresAddress {
  /** A name, an IP address, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** Absent where the driver is to look for it, in PGPASSWORD and in the file of passwords. */
  readonly password?: string;
  /** Whether each transaction may be given another connection, as PgBouncer does in its transaction mode. */
  readonly pooled: boolean;
  /** Switches of the server, such as `-c search_path=app`. */
  readonly startup?: string;
  readonly options: ReadonlyMap<string, string>;
}

const FORM: UrlForm = {
  example: "postgres://USER:PASSWORD@HOST:5432/NAME",
  options: [
    ...["host", "port", "user", "password", "options", "application_name", "connect_timeout"],
    ...["sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword", "ssl", "sslnegotiation"],
    ...["uselibpqcompat", "channel_binding", "pgbouncer"],
    ...["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"],
  ],
  // Known to libpq: they ask for what the driver does anyhow, or for what one host cannot give.
  ignored: [
    ...["fallback_application_name", "client_encoding", "target_session_attrs", "load_balance_hosts"],
    ...["keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout"],
  ],
  instead: {
    schema: "options=-c search_path=SCHEMA",
    search_path: "options=-c search_path=SCHEMA",
    currentSchema: "options=-c search_path=SCHEMA",
    dbname: "postgres://HOST/NAME",
  },
};

/**
 * Parses `postgres://…`.
 *
 * @throws JanitorError `invalid_setting` with what to write instead
 */
export function parsePostgresUrl(url: string, env: NodeJS.ProcessEnv = process.env): PostgresAddress {
  const parsed = parseServerUrl(url, FORM);
  const { options } = parsed;
  const host = options.get("host") || parsed.host || env.PGHOST || "localhost";
  if (host.includes(",")) {
    throw wrongUrl("or PGHOST names several hosts; one that can be written to is needed", FORM);
  }
  const database = parsed.name ?? env.PGDATABASE;
  if (!database) throw wrongUrl("names no database", FORM);
  const user = options.get("user") || parsed.user || env.PGUSER || ourselves();
  if (!user) throw wrongUrl("names no user", FORM);
  const password = options.get("password") || parsed.password;
  const startup = options.get("options") || env.PGOPTIONS;
  checkNegotiation(options);
  return {
    ...{ host, database, user, options, port: port(parsed, env), pooled: isPooled(options) },
    ...(password && { password }),
    ...(startup && { startup }),
  };
}

/** Without credentials, but with the schema: in another one are other tables, and they may be declared alike. */
export function shownPostgres({ host, port, database, startup = "" }: PostgresAddress): string {
  const [, path] = [...startup.matchAll(SEARCH_PATH)].at(-1) ?? [];
  const schema = path === undefined ? "" : `?search_path=${encodeURIComponent(path)}`;
  return `postgres://${shownHost(host)}:${port}/${encodeURIComponent(database)}${schema}`;
}

const SEARCH_PATH = /(?:-c\s*|--)search[_-]path=((?:\\.|\S)*)/gi;

function port({ options, port }: ServerUrl, env: NodeJS.ProcessEnv): number {
  const text = options.get("port");
  if (text) return portOf(text, FORM);
  return port ?? (env.PGPORT ? portOf(env.PGPORT, FORM) : 5432);
}

/** Prisma's word for it. */
function isPooled(options: ReadonlyMap<string, string>): boolean {
  const text = options.get("pgbouncer") ?? "false";
  if (text === "true" || text === "false") return text === "true";
  throw new JanitorError("invalid_setting", `${named("pgbouncer")} must be true or false`);
}

function checkNegotiation(options: ReadonlyMap<string, string>): void {
  const way = options.get("sslnegotiation");
  if (way === undefined || way === "postgres" || way === "direct") return;
  throw new JanitorError("invalid_setting", `${named("sslnegotiation")} must be postgres or direct`);
}
