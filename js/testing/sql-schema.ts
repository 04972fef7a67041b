/** The tables that the suite makes, and what is in them. */

import type { SqlStore } from "../store.ts";
import { MOMENTS } from "./sql-texts.ts";

/** The instant that the suite's job judges by. */
export const NOW = "2026-06-01T00:00:00Z";
/** How many users there are. */
export const USERS = 40;
/** How many of them never verified their address, and joined more than 90 days before. */
export const STALE_USERS = 10;

/** What differs between the dialects. */
interface Words {
  readonly bigint: string;
  readonly instant: string;
  /** What an instant ends in that is in UTC. */
  readonly zone: string;
  /** What a foreign key ends in that is checked as late as can be. */
  readonly deferred: string;
  /** Writes a row to `traces` after a DELETE on `watched`. */
  readonly trigger: readonly string[];
  readonly truth: string;
  readonly document: string;
}

const WORDS: Readonly<Record<SqlStore["dialect"], Words>> = {
  sqlite: {
    bigint: "INTEGER",
    instant: "DATETIME",
    zone: "",
    deferred: "DEFERRABLE INITIALLY DEFERRED",
    trigger: [
      "CREATE TRIGGER watch AFTER DELETE ON watched BEGIN INSERT INTO traces (id) VALUES (OLD.id); END",
    ],
    truth: "BOOLEAN",
    document: "TEXT",
  },
  postgres: {
    bigint: "bigint",
    instant: "timestamptz",
    zone: "+00",
    deferred: "DEFERRABLE INITIALLY DEFERRED",
    trigger: [
      `CREATE FUNCTION trace() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN INSERT INTO traces (id) VALUES (OLD.id); RETURN OLD; END'`,
      "CREATE TRIGGER watch AFTER DELETE ON watched FOR EACH ROW EXECUTE FUNCTION trace()",
    ],
    truth: "boolean",
    document: "json",
  },
  mysql: {
    bigint: "bigint",
    instant: "datetime(6)",
    zone: "",
    deferred: "",
    trigger: [
      "CREATE TRIGGER watch AFTER DELETE ON watched FOR EACH ROW INSERT INTO traces (id) VALUES (OLD.id)",
    ],
    truth: "tinyint(1)",
    document: "json",
  },
};

/** Statements that make and fill the tables. */
export function schemaOf(dialect: SqlStore["dialect"]): readonly string[] {
  const { bigint, instant, zone, deferred, trigger, truth, document } = WORDS[dialect];
  const people = Array.from({ length: USERS }, (_, at) => {
    const verified = at % 2 === 0 ? "NULL" : `'2026-01-05 00:00:00${zone}'`;
    const joined = at % 4 === 0 ? "2026-01-01 00:00:00.000001" : "2026-05-01 00:00:00";
    return `(${at + 1}, ${verified}, '${joined}${zone}')`;
  });
  const requests = Array.from({ length: USERS }, (_, at) => `(${at + 1}, ${at + 1})`);
  const moments = MOMENTS.map((moment, at) => `(${at + 1}, '${moment}${zone}')`);

  return [
    `CREATE TABLE things (id ${bigint} PRIMARY KEY, name VARCHAR(50))`,
    `INSERT INTO things (id, name) VALUES (1, '1'), (2, '10'), (3, '2'), (9007199254740993, 'big'),
      (9223372036854775807, 'biggest')`,
    `CREATE TABLE parents (id ${bigint} PRIMARY KEY)`,
    `CREATE TABLE children (id ${bigint} PRIMARY KEY, parent_id ${bigint},
      FOREIGN KEY (parent_id) REFERENCES parents (id) ON DELETE CASCADE)`,
    "INSERT INTO parents (id) VALUES (1)",
    "INSERT INTO children (id, parent_id) VALUES (1, 1), (2, 1), (3, 1)",
    `CREATE TABLE traces (id ${bigint})`,
    `CREATE TABLE watched (id ${bigint} PRIMARY KEY)`,
    ...trigger,
    "INSERT INTO watched (id) VALUES (1), (2)",
    `CREATE TABLE counters (id ${bigint} PRIMARY KEY, value ${bigint} NOT NULL)`,
    "INSERT INTO counters (id, value) VALUES (1, 0), (2, 0)",
    `CREATE TABLE moments (id ${bigint} PRIMARY KEY, at ${instant} NOT NULL)`,
    `INSERT INTO moments (id, at) VALUES ${moments.join(", ")}`,
    `CREATE TABLE truths (truth ${truth} NOT NULL)`,
    "INSERT INTO truths (truth) VALUES (true)",
    `CREATE TABLE documents (document ${document} NOT NULL)`,
    `INSERT INTO documents (document) VALUES ('{"a": 9007199254740993}')`,
    `CREATE TABLE people (id ${bigint} PRIMARY KEY, email_verified ${instant} NULL, date_joined ${instant} NOT NULL)`,
    `INSERT INTO people (id, email_verified, date_joined) VALUES ${people.join(", ")}`,
    `CREATE TABLE hidp_accounts_emailchangerequest (id ${bigint} PRIMARY KEY, user_id ${bigint} NOT NULL,
      FOREIGN KEY (user_id) REFERENCES people (id) ${deferred})`,
    `INSERT INTO hidp_accounts_emailchangerequest (id, user_id) VALUES ${requests.join(", ")}`,
  ];
}
