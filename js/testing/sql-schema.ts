/** The tables that the suite makes, and what is in them. */

/** The instant that the suite's job judges by. */
export const NOW = "2026-06-01T00:00:00Z";
/** How many users there are. */
export const USERS = 40;
/** How many of them never verified their address, and joined more than 90 days before. */
export const STALE_USERS = 10;

const people = Array.from({ length: USERS }, (_, at) => {
  const verified = at % 2 === 0 ? "NULL" : "'2026-01-05 00:00:00'";
  const joined = at % 4 === 0 ? "2026-01-01 00:00:00.000001" : "2026-05-01 00:00:00";
  return `(${at + 1}, ${verified}, '${joined}')`;
});
const requests = Array.from({ length: USERS }, (_, at) => `(${at + 1}, ${at + 1})`);

/** Statements that make and fill the tables. */
export const SCHEMA: readonly string[] = [
  "CREATE TABLE things (id INTEGER PRIMARY KEY, name VARCHAR(50))",
  `INSERT INTO things (id, name) VALUES (1, '1'), (2, '10'), (3, '2'), (9007199254740993, 'big'),
    (9223372036854775807, 'biggest')`,
  "CREATE TABLE parents (id INTEGER PRIMARY KEY)",
  "CREATE TABLE children (id INTEGER PRIMARY KEY, parent_id INTEGER REFERENCES parents (id) ON DELETE CASCADE)",
  "INSERT INTO parents (id) VALUES (1)",
  "INSERT INTO children (id, parent_id) VALUES (1, 1), (2, 1), (3, 1)",
  "CREATE TABLE traces (id INTEGER)",
  "CREATE TABLE watched (id INTEGER PRIMARY KEY)",
  "CREATE TRIGGER watch AFTER DELETE ON watched BEGIN INSERT INTO traces (id) VALUES (OLD.id); END",
  "INSERT INTO watched (id) VALUES (1), (2)",
  "CREATE TABLE counters (value INTEGER)",
  "INSERT INTO counters (value) VALUES (0)",
  "CREATE TABLE people (id INTEGER PRIMARY KEY, email_verified DATETIME NULL, date_joined DATETIME NOT NULL)",
  `INSERT INTO people (id, email_verified, date_joined) VALUES ${people.join(", ")}`,
  `CREATE TABLE hidp_accounts_emailchangerequest (id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES people (id) DEFERRABLE INITIALLY DEFERRED)`,
  `INSERT INTO hidp_accounts_emailchangerequest (id, user_id) VALUES ${requests.join(", ")}`,
];
