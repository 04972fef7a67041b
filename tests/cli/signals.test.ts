import { deepEqual, equal, ok } from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { finished, NOW, newDatabase, rows, run, start } from "./command.ts";

const ARGS = ["cleartokens", "--database", "sqlite:idp.db", "--now", NOW, "--slice-ms", "1"];
const TOKENS = "oauth2_provider_accesstoken";

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`${signal} ends the run after the slice in hand, with report and checkpoint`, async (t) => {
    const whole = newDatabase(t, 800);
    equal((await run(whole, ARGS)).status, 0);

    const folder = newDatabase(t, 800);
    const child = start(folder, [...ARGS, "--checkpoint", "at.json"]);
    child.stdout?.once("data", () => child.kill(signal));
    const stopped = await finished(child);
    deepEqual([stopped.status, stopped.stderr], [75, ""]);
    ok(/--checkpoint at\.json/.test(stopped.stdout), stopped.stdout);
    deepEqual(readdirSync(folder), ["at.json", "idp.db"]);
    ok(rows(folder, TOKENS) > rows(whole, TOKENS));

    const rest = await run(folder, [...ARGS, "--checkpoint", "at.json", "--json"]);
    equal(rest.status, 0, rest.stderr);
    equal(rows(folder, TOKENS), rows(whole, TOKENS));
    deepEqual(readdirSync(folder), ["idp.db"]);
  });
}

test("a kill leaves a database that the next run finishes", async (t) => {
  const whole = newDatabase(t, 800);
  equal((await run(whole, ARGS)).status, 0);
  const folder = newDatabase(t, 800);
  const child = start(folder, ARGS);
  child.stdout?.once("data", () => child.kill("SIGKILL"));
  equal((await finished(child)).status, null);
  equal((await run(folder, ARGS)).status, 0);
  equal(rows(folder, TOKENS), rows(whole, TOKENS));
});
