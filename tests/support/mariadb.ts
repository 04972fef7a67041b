// A real MariaDB of the test's own, or a MySQL, if that is asked for.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { createConnection } from "mysql2/promise";
import { type Engine, type EngineOptions, type Kind, PASSWORD, startEngine } from "./engines.ts";
import { type Mariadb, mariadb } from "./mariadb-binaries.ts";
import { copyTables } from "./mariadb-copy.ts";
import { asServer, type Command, giveToServer } from "./server.ts";

/**
 * What is committed is written and not flushed: it outlives the server, which is what tests are about, and need not
 * outlive the machine.
 */
const SETTINGS = {
  "bind-address": "127.0.0.1",
  "character-set-server": "utf8mb4",
  "innodb-buffer-pool-size": "64M",
  "innodb-doublewrite": "OFF",
  "innodb-flush-log-at-trx-commit": "2",
  "innodb-flush-method": "nosync",
  "loose-innodb-log-file-size": "32M",
  "performance-schema": "OFF",
  "skip-name-resolve": "ON",
  "table-open-cache": "400",
};

const execute = promisify(execFile);

/** Run at every start, before anybody can connect. */
const ROLES = `
  CREATE USER IF NOT EXISTS admin IDENTIFIED BY '${PASSWORD}';
  GRANT ALL PRIVILEGES ON *.* TO admin WITH GRANT OPTION;
  CREATE USER IF NOT EXISTS janitor IDENTIFIED BY '${PASSWORD}';
`;

/** The statements that make the server's own tables, in their order; what is missing here is help and views for people. */
const SYSTEM_TABLES = [
  "mysql_system_tables.sql",
  "mysql_performance_tables.sql",
  "mysql_system_tables_data.sql",
];

/**
 * Starts a MariaDB on a free port; resolves when it takes connections. See `mariadb` for which one.
 */
export function startMariadb({ settings = {} }: EngineOptions = {}): Promise<Engine> {
  return startEngine({ ...MARIADB, prepare: (folder) => prepare(folder, { ...SETTINGS, ...settings }) });
}

const MARIADB: Omit<Kind, "prepare"> = {
  name: "mariadb",
  scheme: "mysql",
  home: "mysql",
  ready: "ready for connections",
  hardStop: "SIGKILL",
  async createDatabase(home, name, template) {
    const admin = await createConnection(home);
    try {
      await admin.query(`CREATE DATABASE \`${name}\``);
      await admin.query(`GRANT ALL PRIVILEGES ON \`${name}\`.* TO janitor`);
      if (template !== undefined) await copyTables(admin, template, name);
    } finally {
      await admin.end();
    }
  },
};

async function prepare(folder: string, settings: Readonly<Record<string, string>>) {
  const program = await mariadb(folder);
  const [data, roles] = [join(folder, "data"), join(folder, "roles.sql")];
  writeFileSync(roles, ROLES);
  mkdirSync(data);
  giveToServer(data);
  const options = Object.entries({
    datadir: data,
    // Servers that share one remove each other's temporary tables when they start.
    tmpdir: folder,
    socket: join(folder, "socket"),
    "pid-file": join(folder, "pid"),
    ...settings,
  }).map(([name, value]) => `--${name}=${value}`);
  const command = (...more: string[]): Command => ({
    file: program.file,
    args: ["--no-defaults", ...program.args, ...options, ...more],
    env: program.env,
  });
  if (program.product === "MySQL") {
    const first = command("--initialize-insecure");
    await execute(first.file, first.args, asServer(first, folder));
  } else {
    await bootstrap(command("--bootstrap"), program, folder);
  }
  return (port: number) => command(`--port=${port}`, `--init-file=${roles}`);
}

async function bootstrap(command: Command, { share }: Mariadb, folder: string): Promise<void> {
  const tables = SYSTEM_TABLES.map((name) => readFileSync(join(share, name), "utf8"));
  const server = spawn(command.file, command.args, {
    ...asServer(command, folder),
    stdio: ["pipe", "ignore", "pipe"],
  });
  const said = text(server.stderr);
  const ended = once(server, "close");
  server.stdin.end(["CREATE DATABASE mysql;", "USE mysql;", ...tables].join("\n"));
  const [code] = await ended;
  if (code !== 0) throw new Error(`MariaDB could not make its own tables\n${await said}`);
}
