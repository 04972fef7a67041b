import assert from "node:assert/strict";
import { test } from "node:test";
import "idp-janitor";
import { warmUp } from "../pkg/warm-up.js";

test("what compiles the core while a Worker starts goes through a whole job", () => {
  assert.equal(warmUp(), true);
});
