import { connect, type Socket } from "node:net";
import type { PoolOptions } from "mysql2/promise";
import { mysql2 } from "../../adapters/mysql2.ts";
import { loadDriver } from "../drivers.ts";
import type { OpenedStore, OpenOptions, StoreKind } from "./kind.ts";
import { mysqlTls } from "./mysql-tls.ts";
import { type MysqlAddress, parseMysqlUrl, shownMysql } from "./mysql-url.ts";
import { CONNECT_MS, reached } from "./reached.ts";
import { Sockets } from "./sockets.ts";

/** `mysql://…` or `mariadb://…`, on the driver `mysql2`. */
export const mysql: StoreKind = { open, addressOf: async (url) => shownMysql(parseMysqlUrl(url)) };

/**
 * Nothing is done where it is to be opened for reading alone: the switch of a session would stay behind in one that a proxy
 * lends to somebody else, and that of a transaction is for whoever begins one. What reads alone writes nothing anyhow.
 */
async function open(url: string, options: OpenOptions): Promise<OpenedStore> {
  const address = parseMysqlUrl(url);
  const config = await configOf(address, options);
  const driver = await loadDriver(
    "mysql2",
    "a database on MySQL or MariaDB",
    "store_failed",
    () => import("mysql2/promise"),
  );
  const sockets = new Sockets();
  const pool = driver.default.createPool({ ...config, stream: () => sockets.add(socketTo(address)) });
  // Where it fails, so will what follows.
  pool.pool.on("connection", (connection) => connection.query(AS_WE_BEGIN, () => undefined));
  return reached(
    { store: mysql2(pool), close: () => sockets.end(pool) },
    {
      address: shownMysql(address),
      authority: { option: "ssl-ca", isNamed: address.options.has("ssl-ca") },
      patienceMs: 2 * CONNECT_MS,
      giveUp: () => sockets.destroy(),
    },
  );
}

/**
 * Servers may be set to begin sessions in which whatever is read begins a transaction, in which what is removed has to be named by
 * its key, or in which long answers are cut short.
 */
const AS_WE_BEGIN = "SET autocommit = 1, SESSION sql_safe_updates = 0, SESSION sql_select_limit = DEFAULT";

/** Two more connections than slices: one for the lease, one for whatever is asked meanwhile. */
async function configOf(address: MysqlAddress, { concurrency = 1 }: OpenOptions): Promise<PoolOptions> {
  const { host, port, socketPath, database, user, password, options } = address;
  // On a Unix socket there is nobody to hide from.
  const ssl = socketPath ? undefined : await mysqlTls(options, host);
  return {
    ...{ host, port, database, user },
    ...(password && { password }),
    ...(socketPath && { socketPath }),
    ...(ssl && { ssl }),
    connectionLimit: concurrency + 2,
    connectTimeout: CONNECT_MS,
    connectAttributes: { program_name: "idp-janitor" },
  };
}

/** What the driver would make of the same, had it not to be kept account of. */
function socketTo({ host, port, socketPath }: MysqlAddress): Socket {
  if (socketPath) return connect(socketPath);
  return connect({ host, port, keepAlive: true, keepAliveInitialDelay: CONNECT_MS, noDelay: true });
}
