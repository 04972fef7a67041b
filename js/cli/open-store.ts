import { JanitorError } from "../errors.ts";
import { withoutSecrets } from "./secrets.ts";
import type { OpenedStore, OpenOptions, StoreKind } from "./stores/kind.ts";
import { suggestion } from "./suggest.ts";

const sqlite = async (): Promise<StoreKind> => (await import("./stores/sqlite.ts")).sqlite;
const postgres = async (): Promise<StoreKind> => (await import("./stores/postgres.ts")).postgres;
const mysql = async (): Promise<StoreKind> => (await import("./stores/mysql.ts")).mysql;
const libsql = async (): Promise<StoreKind> => (await import("./stores/libsql.ts")).libsql;

/** The kinds of databases, by the schemes of their addresses. */
const KINDS: Readonly<Record<string, () => Promise<StoreKind>>> = {
  sqlite,
  postgres,
  postgresql: postgres,
  mysql,
  mariadb: mysql,
  libsql,
  // The other schemes by which the client of libSQL knows its servers.
  https: libsql,
  http: libsql,
  wss: libsql,
  ws: libsql,
};

/** How an address of a database may begin, for messages. */
export const ADDRESSES = "`sqlite:PATH`, `postgres://HOST/NAME`, `mysql://HOST/NAME` or `libsql://HOST`";

/**
 * Opens a database. Creates none unless told to. Closing it never rejects: what is to be told has been told by then, and
 * the database undoes what was not committed.
 *
 * @param url its address; a relative path starts at the working directory
 * @throws JanitorError `invalid_setting` for an address that cannot be meant, `store_*` for what is found there
 */
export async function openStore(url: string, options: OpenOptions): Promise<OpenedStore> {
  const kind = await kindOf(url)();
  const opened = await kind.open(url, options);
  return { store: opened.store, close: () => opened.close().catch(() => undefined) };
}

/**
 * The address that tells a database from others, by whatever name it was reached. It has no credentials.
 *
 * @param url as {@link openStore} takes it
 * @throws JanitorError `invalid_setting` for an address that cannot be meant, `store_*` where there is no such file
 */
export async function addressOf(url: string): Promise<string> {
  const kind = await kindOf(url)();
  return kind.addressOf(url);
}

/** Whether an address is that of an SQLite file. */
export function isSqliteFile(url: string): boolean {
  return kindOf(url) === sqlite;
}

function kindOf(url: string): () => Promise<StoreKind> {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(url)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    // What has neither `@` nor `//` is a path, and can be shown.
    const meant = /@|\/\//.test(url) ? ADDRESSES : `\`sqlite:${url || "PATH"}\``;
    throw new JanitorError(
      "invalid_setting",
      `\`${withoutSecrets(url)}\` does not say what kind of database it is: write ${meant}`,
    );
  }
  const kind = Object.hasOwn(KINDS, scheme) ? KINDS[scheme] : undefined;
  if (!kind) {
    const near = suggestion(scheme, Object.keys(KINDS));
    throw new JanitorError(
      "invalid_setting",
      `\`${scheme}:\` is no kind of database that is supported${near}: write ${ADDRESSES}`,
    );
  }
  return kind;
}
