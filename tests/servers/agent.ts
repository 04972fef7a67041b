// A connection as an application has it, with a clock on what it waits for.

import { createConnection, type ResultSetHeader, type RowDataPacket } from "mysql2/promise";
import pg from "pg";

export type Value = string | number | null;

/** What a statement did. */
export interface Done {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** Rows returned or changed. */
  readonly count: number;
}

/** A connection that serves one statement at a time. */
export interface Agent {
  readonly isPostgres: boolean;
  /** The longest statement so far. */
  readonly longest: { readonly ms: number; readonly sql: string };
  /** Runs a statement; its parameters are written as `?`. */
  run(sql: string, params?: readonly Value[]): Promise<Done>;
  end(): Promise<void>;
}

/** Connects to a database as Django does: READ COMMITTED, with the patience that the server has by itself. */
export async function connectAgent(url: string): Promise<Agent> {
  const { isPostgres, perform, end } = await (url.startsWith("postgres:") ? toPostgres(url) : toMariadb(url));
  let longest = { ms: 0, sql: "" };
  return {
    isPostgres,
    get longest() {
      return longest;
    },
    async run(sql, params = []) {
      const began = performance.now();
      try {
        return await perform(sql, params);
      } finally {
        const ms = performance.now() - began;
        if (ms > longest.ms) longest = { ms, sql };
      }
    },
    end,
  };
}

interface Link {
  readonly isPostgres: boolean;
  perform(sql: string, params: readonly Value[]): Promise<Done>;
  end(): Promise<void>;
}

async function toPostgres(url: string): Promise<Link> {
  const client = new pg.Client({ connectionString: url, options: "-c timezone=UTC" });
  client.on("error", () => {});
  await client.connect();
  return {
    isPostgres: true,
    async perform(sql, params) {
      let place = 0;
      const text = sql.replaceAll("?", () => `$${++place}`);
      const { rows, rowCount } = await client.query(text, [...params]);
      return { rows, count: rowCount ?? 0 };
    },
    end: () => client.end(),
  };
}

async function toMariadb(url: string): Promise<Link> {
  const connection = await createConnection(url);
  connection.on("error", () => {});
  await connection.query("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
  return {
    isPostgres: false,
    async perform(sql, params) {
      const [result] = await connection.query<RowDataPacket[] | ResultSetHeader>(sql, [...params]);
      if (Array.isArray(result)) return { rows: result, count: result.length };
      return { rows: [], count: result.affectedRows };
    },
    end: () => connection.end(),
  };
}

/** Why a statement of an application can fail. */
export type Fault = "deadlock" | "key" | "lock timeout";

/** What an error of a server means to an application; undefined for what must not happen. */
export function faultOf(error: unknown): Fault | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  return FAULTS[String(Reflect.get(error, "errno") ?? Reflect.get(error, "code"))];
}

const FAULTS: Readonly<Record<string, Fault>> = {
  "40P01": "deadlock",
  "1213": "deadlock",
  "23503": "key",
  "1452": "key",
  "55P03": "lock timeout",
  "1205": "lock timeout",
};
