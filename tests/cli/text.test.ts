// What is said of a report and of an error, where a run on a server alone would show it.

import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { JanitorError, type Report } from "idp-janitor";
import { exitStatusOf } from "../../pkg/cli/exit.js";
import { reportLines } from "../../pkg/cli/text.js";

const REPORT: Report = {
  ...{ job: "clearsessions", dryRun: false, now: "2026-06-01T00:00:00.000000Z" },
  ...{
    selected: 3,
    restricted: 0,
    held: 0,
    removed: {},
    changed: {},
    complete: true,
    slices: 1,
    elapsedMs: 1,
  },
  ...{ warnings: [], summary: "Removed nothing." },
};

test("rows that somebody else held are told of where there are any", () => {
  deepEqual(reportLines(REPORT, undefined), ["Removed nothing."]);
  deepEqual(reportLines({ ...REPORT, held: 3 }, undefined), [
    ...["Removed nothing.", ""],
    "3 stale row(s) were kept, because somebody held them when they were visited, or a trigger kept them; the next pass tries again.",
  ]);
});

test("nobody is told to run it again where that is of no use", () => {
  const early = { ...REPORT, complete: false };
  deepEqual(reportLines(early, undefined).slice(1), [
    ...["", "Stopped before the end: run the same command again to remove the rest."],
  ]);
  deepEqual(reportLines(early, undefined, false).slice(1), []);
});

test("a database that another run holds is to be tried again", () => {
  equal(exitStatusOf(new JanitorError("store_leased", "")), 75);
  equal(exitStatusOf(new JanitorError("store_denied", "")), 1);
});
