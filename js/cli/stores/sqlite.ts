import { existsSync } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { nodeSqlite, toJanitorError, tune } from "../../adapters/node-sqlite.ts";
import { JanitorError } from "../../errors.ts";
import { messageOf } from "../../message.ts";
import { withoutWarnings } from "../node-warnings.ts";
import type { OpenedStore, OpenOptions, StoreKind } from "./kind.ts";

/** How long a statement waits for somebody else's lock, in milliseconds. */
const PATIENCE_MS = 5000;

/** `sqlite:PATH`; a relative path starts at the working directory. */
export const sqlite: StoreKind = { open, addressOf };

async function open(url: string, options: OpenOptions): Promise<OpenedStore> {
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
    close: async () => {
      try {
        untune();
      } catch {
        // Somebody else holds the database: the empty journal stays, which harms nobody.
      }
      database.close();
    },
  };
}

/** By whatever name it was reached. */
async function addressOf(url: string): Promise<string> {
  const path = sqlitePath(url);
  await refuseWhatIsNoFile(path);
  return `sqlite:${await realpath(path)}`;
}

function sqlitePath(url: string): string {
  const path = url.slice(url.indexOf(":") + 1);
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

async function openDatabase(path: string, { readOnly, create = false }: OpenOptions): Promise<DatabaseSync> {
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
