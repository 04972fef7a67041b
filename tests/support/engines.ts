// A database server of the test's own, of whatever kind: its life from an empty folder to no folder.

import type { ChildProcess } from "node:child_process";
import { atExit, type Command, endServer, onFreePort, serverFolder, startServer } from "./server.ts";

/** A database server that listens on this machine alone. It ends with the process at the latest. */
export interface Engine {
  readonly port: number;
  /** The url by which the role `janitor` reaches a database: `postgres://…` or `mysql://…`, with its password. */
  url(database: string): string;
  /** The same for the superuser, `admin`. */
  adminUrl(database: string): string;
  /** Makes a new database that belongs to `janitor`, and gives its url. */
  createDatabase(options?: {
    /** The name of a database to copy, which nobody may be connected to. */
    template?: string;
  }): Promise<string>;
  /** Ends every connection as a crash would, and starts again on the same port with what was committed. */
  restart(): Promise<void>;
  /** Ends it at once and removes its data. */
  close(): Promise<void>;
}

export interface EngineOptions {
  /** Settings of the server, by their names in its configuration; they go before those that the tests have. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** The password of `janitor` and of `admin`. */
export const PASSWORD = "secret";

/** What is peculiar to a kind of database server. */
export interface Kind {
  readonly name: string;
  readonly scheme: string;
  /** The database that is always there. */
  readonly home: string;
  /** What the server says when it takes connections. */
  readonly ready: string;
  /** Ends it without a word to its clients. */
  readonly hardStop: NodeJS.Signals;
  /** Makes the files that the server starts from, in a folder that belongs to its user. */
  prepare(folder: string): Promise<(port: number) => Command>;
  /** Makes the role `janitor`, unless `prepare` has. */
  makeRole?(home: string): Promise<void>;
  createDatabase(home: string, name: string, template: string | undefined): Promise<void>;
}

export async function startEngine(kind: Kind): Promise<Engine> {
  const { folder, remove } = serverFolder(kind.name);
  let server: ChildProcess | undefined;
  const exit = atExit(() => {
    server?.kill(kind.hardStop);
    remove();
  });
  const close = async () => {
    if (server) await endServer(server, kind.hardStop);
    exit.cancel();
    remove();
  };
  try {
    const commandFor = await kind.prepare(folder);
    const start = async (port: number) => {
      server = await startServer(commandFor(port), kind.ready, folder);
      return port;
    };
    const port = await onFreePort(start);
    const restart = async () => {
      if (server) await endServer(server, kind.hardStop);
      await start(port);
    };
    const engine = { ...urlsOf(kind, port), restart, close };
    await kind.makeRole?.(engine.adminUrl(kind.home));
    return { ...engine, createDatabase: databaseMaker(kind, engine) };
  } catch (error) {
    await close();
    throw error;
  }
}

function urlsOf(kind: Kind, port: number): Pick<Engine, "port" | "url" | "adminUrl"> {
  const urlAs = (role: string) => (database: string) =>
    `${kind.scheme}://${role}:${PASSWORD}@127.0.0.1:${port}/${database}`;
  return { port, url: urlAs("janitor"), adminUrl: urlAs("admin") };
}

function databaseMaker(kind: Kind, urls: Pick<Engine, "url" | "adminUrl">): Engine["createDatabase"] {
  let databases = 0;
  return async ({ template } = {}) => {
    databases += 1;
    const name = `test_${databases}`;
    await kind.createDatabase(urls.adminUrl(kind.home), name, template);
    return urls.url(name);
  };
}
