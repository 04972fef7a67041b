// Runs hand-written SQL on PostgreSQL: `node run.ts JOB postgres://… NOW`.

import pg from "pg";
import { readScript } from "../script.ts";

const [job = "", url = "", now = ""] = process.argv.slice(2);
const client = new pg.Client({ connectionString: url });
await client.connect();
try {
  await client.query(readScript("postgres", job, now, "+00"));
} finally {
  await client.end();
}
