import { createHash } from "node:crypto";
import { closeSync, copyFileSync, fsyncSync, openSync, readSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { createDemoDatabase } from "../../demo/database.ts";
import { temporaryPath } from "../../tests/support/originals.ts";
import { handWritten } from "../contenders.ts";
import type { Engine, Fingerprint } from "./engine.ts";

/** What our command line gives SQLite: shows how much of a ratio is due to that alone. */
const OUR_CACHE_MIB = 48;

const SCRIPT = "hand-written/sqlite/run.ts";

export async function sqlite(): Promise<Engine> {
  return {
    handWritten: [
      handWritten(SCRIPT),
      handWritten(SCRIPT, `${OUR_CACHE_MIB} MiB of cache`, [String(OUR_CACHE_MIB)]),
    ],
    ours: [{}],
    async seed(options) {
      const path = temporaryPath();
      createDemoDatabase(path, options);
      return urlOf(path);
    },
    async copy(url) {
      const copy = temporaryPath();
      copyFileSync(pathOf(url), copy);
      warm(copy);
      return urlOf(copy);
    },
    fingerprint: async (url) => fingerprint(pathOf(url)),
    remove: async (url) => rmSync(pathOf(url)),
    serverCpu: () => undefined,
    close: async () => {},
  };
}

function urlOf(path: string): string {
  return `sqlite:${path}`;
}

function pathOf(url: string): string {
  return url.replace(/^sqlite:/, "");
}

function warm(path: string): void {
  const file = openSync(path, "r+");
  const buffer = Buffer.alloc(1 << 20);
  try {
    fsyncSync(file);
    while (readSync(file, buffer) > 0);
  } finally {
    closeSync(file);
  }
}

function fingerprint(path: string): Fingerprint {
  using database = new DatabaseSync(path, { readOnly: true });
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  return new Map(tables.map(({ name }) => [String(name), hashOf(database, String(name))]));
}

/** Rows keep their rowid in all that the contenders do. */
function hashOf(database: DatabaseSync, table: string): string {
  const hash = createHash("md5");
  const rows = database.prepare(`SELECT * FROM "${table}" ORDER BY _rowid_`);
  rows.setReturnArrays(true);
  for (const row of rows.iterate()) hash.update(JSON.stringify(row));
  return hash.digest("hex");
}
