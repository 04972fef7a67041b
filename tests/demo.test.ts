/** The demo: what `npm start` shows must be real. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { oracle, seededDatabase } from "./support/originals.ts";

test("its schema is the one that Django's own migrations make", async () => {
  const database = await seededDatabase(1, "2026-11-23T10:20:30Z", 1);
  const schema = readFileSync(new URL("../demo/schema.sql", import.meta.url), "utf8");
  assert.equal(schema, await oracle(["schema"], { database }));
});
