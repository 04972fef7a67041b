import { existsSync } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { nodeSqlite, toJanitorError, tune } from "../adapters/node-sqlite.ts";
import { JanitorError } from "../errors.ts";
import type { SqlStore } from "../store.ts";
import { messageOf } from "./exit.ts";
import { withoutWarnings } from "./node-warnings.ts";

/** How long a statement waits for somebody else's lock, in milliseconds. */
const PATIENCE_MS = 5000;

/** A store that was opened for the length of one command. */
export interface OpenedStore {
  readonly store: SqlStore;
  close(): void;
}

/**
 * Opens a database. Creates none unless told to.
 *
 * @param url `sqlite:PATH`; a relative path starts at the working directory
 * @param options.readOnly opens it so that not a byte of it can change
 * @param options.create makes the file if there is none, for what idp-janitor keeps itself
 * @throws JanitorError `invalid_setting` for a URL that cannot be meant, `store_*` for what is found there
 */
export async function openStore(
  url: string,
  options: { readonly readOnly: boolean; readonly create?: boolean },
): Promise<OpenedStore> {
  const path = sqlitePath(url);
  if (!options.create || existsSync(path)) await refuseWhatIsNoFile(path, options.create);
  const database = await openDatabase(path, options);
  let untune: () => void;
  try {
    untune = tune(database, options);
  } catch (error) {
    database.close();
    throw notOpened(path, error);
  }
  return {
    store: nodeSqlite(database),
    close: () => {
      try {
        untune();
      } catch {
        // Somebody else holds the database: the empty journal stays, which harms nobody.
      }
      database.close();
    },
  };
}

/**
 * The address that tells a database from others, by whatever name it was reached. It has no credentials.
 *
 * @param url as {@link openStore} takes it
 * @throws JanitorError `invalid_setting` for a URL that cannot be meant, `store_*` where there is no database
 */
export async function addressOf(url: string): Promise<string> {
  const path = sqlitePath(url);
  await refuseWhatIsNoFile(path);
  return `sqlite:${await realpath(path)}`;
}

function sqlitePath(url: string): string {
  const [, scheme, path] = /^([A-Za-z][A-Za-z0-9+.-]*):(.*)$/s.exec(url) ?? [];
  if (scheme === undefined || path === undefined) {
    throw new JanitorError(
      "invalid_setting",
      `\`${url}\` does not say what kind of database it is: write \`sqlite:${url || "PATH"}\``,
    );
  }
  if (scheme.toLowerCase() !== "sqlite") {
    throw new JanitorError(
      "invalid_setting",
      `\`${scheme}:\` is no kind of database that is supported: write \`sqlite:PATH\``,
    );
  }
  if (path === "" || path.includes("\0")) {
    throw new JanitorError("invalid_setting", `\`${url}\` names no file: write \`sqlite:PATH\``);
  }
  return resolve(path);
}

async function refuseWhatIsNoFile(path: string, mayBeEmpty = false): Promise<void> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") {
      throw new JanitorError("store_missing", `there is no database at \`${path}\``, { cause: error });
    }
    throw new JanitorError("store_failed", `\`${path}\` cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  });
  if (found.isDirectory()) {
    throw new JanitorError("store_not_a_database", `\`${path}\` is a directory, not a database`);
  }
  if (!found.isFile()) throw new JanitorError("store_not_a_database", `\`${path}\` is not a regular file`);
  if (found.size === 0 && !mayBeEmpty)
    throw new JanitorError("store_not_a_database", `\`${path}\` is empty, not a database`);
}

async function openDatabase(
  path: string,
  { readOnly, create = false }: { readonly readOnly: boolean; readonly create?: boolean },
): Promise<DatabaseSync> {
  const sqlite = await loadSqlite();
  const url = pathToFileURL(path);
  url.searchParams.set("mode", readOnly ? "ro" : create ? "rwc" : "rw");
  try {
    return new sqlite.DatabaseSync(url, { readOnly, timeout: PATIENCE_MS });
  } catch (error) {
    throw notOpened(path, error);
  }
}

/** The driver's error, with the path that a person can look at. */
function notOpened(path: string, error: unknown): JanitorError {
  const { code, message, cause } = toJanitorError(error);
  return new JanitorError(code, `\`${path}\` cannot be opened: ${message}; nothing was changed`, { cause });
}

async function loadSqlite(): Promise<typeof import("node:sqlite")> {
  try {
    return await withoutWarnings(["SQLite is an experimental feature"], () => import("node:sqlite"));
  } catch (error) {
    throw new JanitorError(
      "store_failed",
      `this Node (${process.version}) has no \`node:sqlite\`: run idp-janitor with Node 22.16 or later`,
      { cause: error },
    );
  }
}
