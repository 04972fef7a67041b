// A real PostgreSQL of the test's own.

import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Engine, type EngineOptions, type Kind, PASSWORD, startEngine } from "./engines.ts";
import { postgresBin } from "./postgres-binaries.ts";
import { asServer } from "./server.ts";
import { query } from "./server-query.ts";

const execute = promisify(execFile);

/** What is committed outlives the server, which is what tests are about, and need not outlive the machine. */
const SETTINGS = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  fsync: "off",
  full_page_writes: "off",
  shared_buffers: "64MB",
  max_connections: "50",
};

/**
 * Starts a PostgreSQL on a free port; resolves when it takes connections. See `postgresBin` for which one.
 */
export function startPostgres({ settings = {} }: EngineOptions = {}): Promise<Engine> {
  return startEngine({ ...POSTGRES, prepare: (folder) => prepare(folder, { ...SETTINGS, ...settings }) });
}

const POSTGRES: Omit<Kind, "prepare"> = {
  name: "postgres",
  scheme: "postgres",
  home: "postgres",
  ready: "database system is ready to accept connections",
  // An immediate shutdown. Killing the first process alone would leave the others for a moment, and with them the port.
  hardStop: "SIGQUIT",
  async makeRole(home) {
    await query(home, `CREATE ROLE janitor LOGIN PASSWORD '${PASSWORD}'`);
  },
  async createDatabase(home, name, template = "template0") {
    await query(home, `CREATE DATABASE "${name}" OWNER janitor TEMPLATE "${template}"`);
  },
};

async function prepare(folder: string, settings: Readonly<Record<string, string>>) {
  const { bin, env } = await postgresBin(folder);
  const [data, password] = [join(folder, "data"), join(folder, "password")];
  writeFileSync(password, PASSWORD);
  const how = ["--auth=scram-sha-256", `--pwfile=${password}`, "--username=admin", "--no-sync"];
  // The language of the messages that we wait for.
  const which = ["--encoding=UTF8", "--locale=C"];
  await execute(join(bin, "initdb"), [`--pgdata=${data}`, ...how, ...which], asServer({ env }, folder));
  const args = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  return (port: number) => ({
    file: join(bin, "postgres"),
    args: ["-D", data, "-c", `port=${port}`, ...args],
    env,
  });
}
