import { Socket } from "node:net";
import type { PoolConfig } from "pg";
import { pg } from "../../adapters/pg.ts";
import { JanitorError } from "../../errors.ts";
import { loadDriver } from "../drivers.ts";
import { withoutWarnings } from "../node-warnings.ts";
import type { OpenedStore, OpenOptions, StoreKind } from "./kind.ts";
import { postgresTls } from "./postgres-tls.ts";
import { type PostgresAddress, parsePostgresUrl, shownPostgres } from "./postgres-url.ts";
import { CONNECT_MS, reached } from "./reached.ts";
import { named } from "./server-url.ts";
import { Sockets } from "./sockets.ts";

/** `postgres://…` or `postgresql://…`, on the driver `pg`. */
export const postgres: StoreKind = {
  open,
  addressOf: async (url) => shownPostgres(parsePostgresUrl(url)),
};

/**
 * A session of which no transaction may write. It is asked for as the session begins: a `SET` would stay behind in a
 * session that a pooler lends to somebody else.
 */
const READ_ONLY = "-c default_transaction_read_only=on";

async function open(url: string, options: OpenOptions): Promise<OpenedStore> {
  const address = parsePostgresUrl(url);
  const config = await configOf(address, options);
  const driver = await loadDriver("pg", "a database on PostgreSQL", "store_failed", () => import("pg"));
  const connect = (startup: string | undefined) => {
    const sockets = new Sockets();
    const stream = () => sockets.add(new Socket());
    const pool = new driver.default.Pool({ ...config, stream, ...(startup && { options: startup }) });
    // Of a connection that breaks while nobody uses it, whoever uses one next is told.
    pool.on("error", () => {});
    const store = pg(pool, { session: !address.pooled });
    return reached(
      { store, close: () => sockets.end(pool) },
      {
        address: shownPostgres(address),
        authority: { option: "sslrootcert", isNamed: address.options.has("sslrootcert") },
        patienceMs: 2 * config.connectionTimeoutMillis,
        giveUp: () => sockets.destroy(),
      },
    );
  };
  const { startup, pooled } = address;
  return withoutNotice(async () => {
    if (!options.readOnly || pooled) return connect(startup);
    try {
      return await connect(startup ? `${startup} ${READ_ONLY}` : READ_ONLY);
    } catch (error) {
      // A pooler that takes no such switches. What is to read alone writes nothing all the same: this is a second bolt.
      if (isPoolersRefusal(error)) return connect(startup);
      throw error;
    }
  });
}

/** Two more connections than slices: one for the lease, one for whatever is asked meanwhile. */
async function configOf(address: PostgresAddress, { concurrency = 1 }: OpenOptions) {
  const { host, port, database, user, password, options } = address;
  const number = (name: string) => wholeNumber(options, name);
  const negotiation = options.get("sslnegotiation");
  // On a Unix socket there is no TLS, whatever is asked for; libpq takes it the same way.
  const ssl = host.startsWith("/") ? false : await postgresTls(options);
  return {
    ...{ host, port, database, user, password, ssl },
    max: concurrency + 2,
    // Those that wait for their turn are no burden, and to connect again is one.
    idleTimeoutMillis: 0,
    connectionTimeoutMillis: connectMs(options),
    keepAlive: true,
    keepAliveInitialDelayMillis: CONNECT_MS,
    application_name: options.get("application_name"),
    fallback_application_name: "idp-janitor",
    statement_timeout: number("statement_timeout"),
    lock_timeout: number("lock_timeout"),
    idle_in_transaction_session_timeout: number("idle_in_transaction_session_timeout"),
    enableChannelBinding: ["prefer", "require"].includes(options.get("channel_binding") ?? ""),
    ...(negotiation === "direct" && ssl !== false && { sslnegotiation: "direct" }),
  } satisfies PoolConfig;
}

/** Those for whom a minute is not enough would wait for ever, which is what 0 means to libpq. */
function connectMs(options: ReadonlyMap<string, string>): number {
  const seconds = wholeNumber(options, "connect_timeout");
  if (seconds === undefined) return CONNECT_MS;
  if (seconds >= 1 && seconds <= 60) return seconds * 1000;
  throw new JanitorError("invalid_setting", `${named("connect_timeout")} must be from 1 to 60 seconds`);
}

function wholeNumber(options: ReadonlyMap<string, string>, name: string): number | undefined {
  const text = options.get(name);
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new JanitorError("invalid_setting", `${named(name)} must be a whole number`);
}

/** The driver is to lose its support for the file of passwords; until then nobody needs to read that every night. */
function withoutNotice<T>(work: () => Promise<T>): Promise<T> {
  return withoutWarnings(["pgpass support is deprecated"], work);
}

/** PgBouncer's words, `protocol_violation`. */
function isPoolersRefusal(error: unknown): boolean {
  return error instanceof JanitorError && /unsupported startup parameter/.test(error.message);
}
