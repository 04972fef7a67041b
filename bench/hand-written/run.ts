// Runs hand-written SQL: `node run.ts JOB DATABASE NOW [CACHE_MIB]`.

import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { DAY, djangoText, type Instant, MINUTE } from "../../demo/instants.ts";

const [job = "", path = "", now = "", cacheMiB] = process.argv.slice(2);
const instant: Instant = Date.parse(now) * 1000;

/** HIdP's settings: accounts and refresh tokens live for 90 days, revoked refresh tokens for 10 minutes. */
const instants: Readonly<Record<string, Instant>> = {
  now: instant,
  cutoff: instant - 90 * DAY,
  revoked_until: instant - 10 * MINUTE,
  expired_until: instant - 90 * DAY,
};

// A script of several statements takes no parameters, and these are instants of our own.
const script = readFileSync(new URL(`${job}.sql`, import.meta.url), "utf8").replace(
  /:([a-z]\w*)/g,
  (_, name: string) => {
    const value = instants[name];
    if (value === undefined) throw new Error(`${job}.sql names an instant that there is not: ${name}`);
    return `'${djangoText(value)}'`;
  },
);
using database = new DatabaseSync(path);
if (cacheMiB !== undefined) database.exec(`PRAGMA cache_size = -${Number(cacheMiB) * 1024}`);
database.exec(script);
