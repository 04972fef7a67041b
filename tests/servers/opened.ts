// Small databases of PostgreSQL, each made by statements of the test's own.

import assert from "node:assert/strict";
import { createJanitor, type JobName, type OnDelete, type Report, type RunOptions } from "idp-janitor";
import { pg } from "idp-janitor/adapters/pg";
import { Client, Pool } from "pg";
import type { Engine } from "../support/engines.ts";

export const NOW = "2026-06-01T00:00:00Z";
export const ACCOUNTS = "remove_stale_unverified_accounts";
export const STALE = "NULL, '2026-01-01 00:00:00.000001+00'";
export const VERIFIED = "'2026-01-02+00', '2026-01-01+00'";
export const YOUNG = "NULL, '2026-05-31+00'";

/** A database of PostgreSQL that a test works on. */
export interface Opened {
  rows(sql: string): Promise<unknown[][]>;
  run(job: JobName, options?: RunOptions & { onDelete?: Record<string, OnDelete> }): Promise<Report>;
  /** Runs a statement that only an administrator may. */
  asAdmin(sql: string): Promise<void>;
  /** Runs a body while these rows are locked by somebody else. */
  whileHeld(sql: string, body: () => Promise<void>): Promise<void>;
  /** Runs a body while all of a table is locked by somebody else. */
  whileLocked(table: string, body: () => Promise<void>): Promise<void>;
}

/** Runs a body on a new database of an engine that these statements have made; `search` is the search path of the connections. */
export async function openedOn(
  engine: Engine,
  statements: string,
  search: string,
  body: (opened: Opened) => Promise<void>,
): Promise<void> {
  const url = await engine.createDatabase();
  const pool = new Pool({
    connectionString: url,
    options: `-c search_path=${search}`,
  });
  try {
    await pool.query(statements);
    await body({
      rows: async (sql) => (await pool.query({ text: sql, rowMode: "array" })).rows,
      async asAdmin(sql) {
        const admin = new Client(engine.adminUrl(new URL(url).pathname.slice(1)));
        await admin.connect();
        await admin.query(sql);
        await admin.end();
      },
      whileHeld: (sql, held) => during(pool, `${sql} FOR UPDATE`, held),
      whileLocked: (table, held) => during(pool, `LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`, held),
      run: (job, { onDelete, ...options } = {}) =>
        createJanitor({ store: pg(pool), ...(onDelete && { onDelete }) }).run(job, { now: NOW, ...options }),
    });
  } finally {
    await pool.end();
  }
}

/** Runs a body while somebody else's transaction has done something. */
async function during(pool: Pool, sql: string, body: () => Promise<void>): Promise<void> {
  const holder = await pool.connect();
  try {
    await holder.query(`BEGIN; ${sql}`);
    await body();
  } finally {
    await holder.query("ROLLBACK");
    holder.release();
  }
}

/** The report of a dry run and of the real one, which have to tell the same. */
export async function both(opened: Opened, job: JobName, options: RunOptions = {}): Promise<Report> {
  const dry = await opened.run(job, { ...options, dryRun: true });
  const real = await opened.run(job, options);
  assert.deepEqual(dry.wouldRemove, real.removed);
  assert.deepEqual((await opened.run(job, options)).removed, {}, "a second run removes nothing");
  return real;
}

/** A table of users, of whom two are stale. */
export const people = (name: string) => `
  CREATE TABLE ${name} (id bigint PRIMARY KEY, email_verified timestamptz, date_joined timestamptz NOT NULL);
  INSERT INTO ${name} VALUES (1, ${STALE}), (2, ${VERIFIED}), (3, ${YOUNG}), (4, ${STALE});`;
/** A table of requests, one of each user. */
export const requests = (name: string, user: string) => `
  CREATE TABLE ${name} (id bigint PRIMARY KEY, user_id bigint NOT NULL REFERENCES ${user} DEFERRABLE INITIALLY DEFERRED);
  CREATE INDEX ON ${name} (user_id);
  INSERT INTO ${name} SELECT id, id FROM ${user};`;
