// The connections of a database, as its server knows them.

import { setTimeout } from "node:timers/promises";
import type { SqlSession } from "idp-janitor";
import { type Connection, connect } from "../support/server-query.ts";

/** Looks at the connections of a database, and cuts them. */
export class Backends implements AsyncDisposable {
  readonly #connection: Connection;

  private constructor(connection: Connection) {
    this.#connection = connection;
  }

  static async of(url: string): Promise<Backends> {
    return new Backends(await connect(url));
  }

  /** The numbers of all connections but our own. */
  async others(): Promise<number[]> {
    const rows = await this.#connection.query(
      this.#connection.isPostgres
        ? `SELECT pid AS id FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
           AND backend_type = 'client backend' ORDER BY pid`
        : `SELECT id AS id FROM information_schema.processlist WHERE db = database() AND id <> connection_id() ORDER BY id`,
    );
    return rows.map(({ id }) => Number(id));
  }

  /** Waits until a slice is seen removing rows, or has just done so, or until it is over with whoever does them. */
  async sliceAtWork(over: Promise<unknown>): Promise<void> {
    let isOver = false;
    void over.finally(() => {
      isOver = true;
    });
    const sql = this.#connection.isPostgres
      ? `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
         AND query LIKE '%idp_janitor_gone%'`
      : `SELECT 1 FROM information_schema.processlist WHERE db = database() AND id <> connection_id()
         AND info LIKE 'DELETE%idp_janitor_gone%'`;
    while (!isOver && (await this.#connection.query(sql)).length === 0);
  }

  async cut(id: number): Promise<void> {
    const sql = this.#connection.isPostgres ? `SELECT pg_terminate_backend(${id})` : `KILL ${id}`;
    // It may have gone by itself.
    await this.#connection.query(sql).catch(() => {});
  }

  /** Waits until there is nobody else: a server goes on for a moment with what was asked by a process that is dead. */
  async alone(): Promise<void> {
    const deadline = Date.now() + 10_000;
    while ((await this.others()).length > 0) {
      if (Date.now() > deadline) throw new Error("others stay connected");
      await setTimeout(5);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.end();
  }
}

/** The number of a connection that is kept. */
export async function backendOf(session: SqlSession, dialect: string): Promise<number> {
  const sql = dialect === "postgres" ? "SELECT pg_backend_pid()" : "SELECT CONNECTION_ID()";
  const { rows } = await session.query(sql, []);
  return Number(rows[0]?.[0]);
}
