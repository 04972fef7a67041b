/** How the suite says in each dialect what it has to say. */

import type { SqlStore } from "../store.ts";

/** A query of one value, and what the value must be. */
type Told<T> = readonly (readonly [sql: string, value: T])[];

/** The words of one dialect. */
export interface SqlTexts {
  /** The placeholder at a position, from 1. */
  parameter(position: number): string;
  /** The type of 64-bit integers in a CAST. */
  readonly bigint: string;
  /** Values that must come as the text that the database has for them. */
  readonly texts: Told<string>;
  /** Of each instant of `moments`, its text as a CAST gives it, and as its column does by itself. */
  readonly momentAsText: string;
  readonly momentSuffix: string;
  /** Bytes 0, 255 and 10. */
  readonly bytes: string;
  /** How many bytes a parameter has. */
  readonly byteLength: string;
  /** A tenth, as a float of 64 bits. */
  readonly float: string;
  /** True and false, and how they come. */
  readonly truth: Told<boolean | number>;
  /** Whether a foreign key that is declared so is checked at the end of a transaction, and not before. */
  readonly defersForeignKeys: boolean;
  /** Whether DELETE can return what it deletes. */
  readonly returning: boolean;
  /** Goes first in a batch that is to wait no longer than it must; undefined where the adapter sees to that. */
  readonly waitBriefly?: string;
  /** What the server alone can say: absent in a dialect of no server. */
  readonly server?: {
    /** The number of the connection. */
    readonly connection: string;
    /** Takes so many seconds. */
    sleep(seconds: number): string;
    /** Takes the suite's advisory lock and gives 1. */
    readonly lock: string;
    /** Gives 1 if nobody has it. */
    readonly isFree: string;
  };
}

/** The first and the last instant that all have, one before 1970, and one of a microsecond. */
export const MOMENTS: readonly string[] = [
  "2026-01-02 03:04:05.000006",
  "1969-12-31 23:59:59.999999",
  "9999-12-31 23:59:59.999999",
  "1000-01-01 00:00:00.000001",
];

/** What the one document is, of the type for documents where there is one. */
const DOCUMENT = ["SELECT document FROM documents", '{"a": 9007199254740993}'] as const;

const sqlite: SqlTexts = {
  parameter: () => "?",
  bigint: "INTEGER",
  texts: [DOCUMENT],
  momentAsText: "CAST(at AS TEXT)",
  momentSuffix: "",
  bytes: "SELECT X'00FF0A'",
  byteLength: "SELECT length(?)",
  float: "SELECT 0.1",
  truth: [
    ["SELECT true", 1],
    ["SELECT truth FROM truths", 1],
  ],
  defersForeignKeys: true,
  returning: true,
};

const postgres: SqlTexts = {
  parameter: (position) => `$${position}`,
  bigint: "bigint",
  texts: [
    ["SELECT 12345678901234567890.12345678901234567890", "12345678901234567890.12345678901234567890"],
    ["SELECT sum(n) FROM (VALUES (9223372036854775807::bigint), (1)) AS v(n)", "9223372036854775808"],
    ["SELECT '2026-01-02'::date", "2026-01-02"],
    ["SELECT '2026-01-02 03:04:05.000006'::timestamp", "2026-01-02 03:04:05.000006"],
    ["SELECT '2026-01-02 03:04:05.000006-03:30'::timestamptz", "2026-01-02 06:34:05.000006+00"],
    ["SELECT '2026-01-01 01:04:05+14'::timestamptz", "2025-12-31 11:04:05+00"],
    ["SELECT '0044-03-15 12:00:00+00 BC'::timestamptz", "0044-03-15 12:00:00+00 BC"],
    ["SELECT 'infinity'::timestamptz", "infinity"],
    ['SELECT \'{"a": 1.10, "b": 9007199254740993}\'::json', '{"a": 1.10, "b": 9007199254740993}'],
    DOCUMENT,
    ["SELECT '[1.10]'::jsonb", "[1.10]"],
    ["SELECT 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
    ["SELECT '{1,2}'::bigint[]", "{1,2}"],
    ["SELECT '(7,42)'::tid", "(7,42)"],
    ["SELECT 'name'::name", "name"],
    ["SELECT E'\\x01'::\"char\"", "\u0001"],
  ],
  momentAsText: "to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')",
  momentSuffix: "+00",
  bytes: "SELECT '\\x00ff0a'::bytea",
  byteLength: "SELECT octet_length($1::bytea)",
  float: "SELECT 0.1::float8",
  truth: [
    ["SELECT true", true],
    ["SELECT false", false],
    ["SELECT truth FROM truths", true],
  ],
  defersForeignKeys: true,
  returning: true,
  waitBriefly: "SET LOCAL lock_timeout = 200",
  server: {
    connection: "SELECT pg_backend_pid()",
    sleep: (seconds) => `SELECT pg_sleep(${seconds})`,
    lock: "SELECT pg_try_advisory_lock(7, 42)::int",
    isFree: `SELECT (count(*) = 0)::int FROM pg_locks WHERE locktype = 'advisory' AND classid = 7 AND objid = 42
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  },
};

const mysql: SqlTexts = {
  parameter: () => "?",
  bigint: "SIGNED",
  texts: [
    ["SELECT 12345678901234567890.12345678901234567890", "12345678901234567890.12345678901234567890"],
    ["SELECT sum(n) FROM (SELECT 9223372036854775807 AS n UNION SELECT 1) AS v", "9223372036854775808"],
    ["SELECT CAST('2026-01-02' AS date)", "2026-01-02"],
    ["SELECT CAST('2026-01-02 03:04:05.000006' AS datetime(6))", "2026-01-02 03:04:05.000006"],
    ["SELECT CAST('-838:59:58.000006' AS time(6))", "-838:59:58.000006"],
    DOCUMENT,
  ],
  momentAsText: "CAST(at AS CHAR)",
  momentSuffix: "",
  bytes: "SELECT X'00FF0A'",
  byteLength: "SELECT length(?)",
  float: "SELECT 0.1e0",
  truth: [
    ["SELECT true", 1],
    ["SELECT truth FROM truths", 1],
  ],
  defersForeignKeys: false,
  returning: false,
  server: {
    connection: "SELECT CONNECTION_ID()",
    sleep: (seconds) => `SELECT SLEEP(${seconds})`,
    lock: "SELECT GET_LOCK('idp_janitor_suite', 0)",
    isFree: "SELECT IS_FREE_LOCK('idp_janitor_suite')",
  },
};

/** The words of each dialect. */
export const TEXTS: Readonly<Record<SqlStore["dialect"], SqlTexts>> = { sqlite, postgres, mysql };
