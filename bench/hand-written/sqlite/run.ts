// Runs hand-written SQL on SQLite: `node run.ts JOB sqlite:PATH NOW [CACHE_MIB]`.

import { DatabaseSync } from "node:sqlite";
import { readScript } from "../script.ts";

const [job = "", url = "", now = "", cacheMiB] = process.argv.slice(2);
using database = new DatabaseSync(url.replace(/^sqlite:/, ""));
if (cacheMiB !== undefined) database.exec(`PRAGMA cache_size = -${Number(cacheMiB) * 1024}`);
database.exec(readScript("sqlite", job, now));
