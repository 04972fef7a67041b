import assert from "node:assert/strict";
import { test } from "node:test";
import { createJanitor } from "idp-janitor";
import { memory } from "idp-janitor/adapters/memory";
import { recordStoreCases } from "idp-janitor/testing";

const harness = {
  async open(collections: Parameters<typeof memory>[0]) {
    const store = memory(collections);
    return {
      store,
      ids: async (collection: string) => store.rows(collection).map(({ id }) => String(id)),
      close: async () => undefined,
    };
  },
};

for (const { name, run } of recordStoreCases(harness)) test(`memory ${name}`, run);

const NOW = "2026-06-01T00:00:00Z";
const user = (id: number, email_verified: string | null, date_joined: string) => ({
  id,
  email_verified,
  date_joined,
});

/** Regression: it was found out in a removal, when the row was gone and what pointed at it was not. */
test("a reference from a collection that is not there is refused at once", () => {
  const column = { column: "user_id", references: "users", onDelete: "cascade" } as const;
  const references = [{ collection: "tokens", ...column }];
  assert.throws(() => memory({ users: [] }, { references }), { code: "store_missing_table" });
  assert.doesNotThrow(() => memory({ sessions: [] }, { references }));
});

test("a removal takes along what the references say", async () => {
  const store = memory(
    {
      users: [user(1, null, "2026-01-01T00:00:00Z"), user(2, null, "2026-05-31T00:00:00Z")],
      devices: [
        { id: "a", user_id: 1 },
        { id: "b", user_id: 2 },
      ],
      tokens: [
        { id: 7, device_id: "a" },
        { id: 8, device_id: "b" },
      ],
      log: [{ id: 1, user_id: 1 }],
    },
    {
      references: [
        { collection: "devices", column: "user_id", references: "users", onDelete: "cascade" },
        { collection: "tokens", column: "device_id", references: "devices", onDelete: "cascade" },
        { collection: "log", column: "user_id", references: "users", onDelete: "set-null" },
      ],
    },
  );
  const janitor = createJanitor({ store, userTable: "users" });
  const dry = await janitor.run("remove_stale_unverified_accounts", { now: NOW, dryRun: true });
  assert.deepEqual(dry.wouldRemove, { users: 1 });
  assert.equal(store.rows("users").length, 2);

  const report = await janitor.run("remove_stale_unverified_accounts", { now: NOW });
  assert.deepEqual(report.removed, { users: 1 });
  assert.equal(report.summary, "Successfully removed 1 unverified account(s).");
  assert.deepEqual(
    store.rows("users").map(({ id }) => id),
    [2],
  );
  assert.deepEqual(
    store.rows("devices").map(({ id }) => id),
    ["b"],
  );
  assert.deepEqual(
    store.rows("tokens").map(({ id }) => id),
    [8],
  );
  assert.deepEqual(store.rows("log"), [{ id: 1, user_id: null }]);
});

test("a job over several collections runs on a record store, dry and for real", async () => {
  const expired = "2026-01-01T00:00:00Z";
  const token = (id: bigint, access_token_id: bigint | null, revoked: string | null) => ({
    id,
    access_token_id,
    revoked,
  });
  const big = 9007199254740993n;
  const store = memory({
    oauth2_provider_refreshtoken: [token(1n, big, expired), token(2n, big + 2n, null), token(3n, null, null)],
    oauth2_provider_accesstoken: [
      { id: big, expires: expired, id_token_id: 1 },
      { id: big + 1n, expires: expired, id_token_id: null },
      { id: big + 2n, expires: "2026-05-31T00:00:00Z", id_token_id: null },
    ],
    oauth2_provider_idtoken: [{ id: 1, expires: expired }],
    oauth2_provider_grant: [{ id: 1, expires: "2026-06-02T00:00:00Z" }],
  });
  const janitor = createJanitor({ store });
  const dry = await janitor.run("cleartokens", { now: NOW, dryRun: true });
  const report = await janitor.run("cleartokens", { now: NOW });
  const removed = {
    oauth2_provider_accesstoken: 2,
    oauth2_provider_idtoken: 1,
    oauth2_provider_refreshtoken: 2,
  };
  assert.deepEqual(report.removed, removed);
  assert.deepEqual(dry.wouldRemove, removed);
  assert.deepEqual(
    store.rows("oauth2_provider_accesstoken").map(({ id }) => id),
    [big + 2n],
  );
});

test("a bound ends a run on a record store, and its checkpoint goes on", async () => {
  const users = Array.from({ length: 20 }, (_, at) => user(at, null, at % 2 ? NOW : "2026-01-01T00:00:00Z"));
  const store = memory({ users });
  const janitor = createJanitor({ store, userTable: "users" });
  const first = await janitor.run("remove_stale_unverified_accounts", { now: NOW, maxRows: 4 });
  assert.deepEqual([first.removed, first.complete], [{ users: 4 }, false]);
  assert.ok(first.checkpoint);
  const rest = await janitor.run("remove_stale_unverified_accounts", { checkpoint: first.checkpoint });
  assert.deepEqual([rest.removed, rest.complete, rest.now], [{ users: 6 }, true, first.now]);
});

test("a record that cannot be judged ends the run, and is kept", async () => {
  const rows = [{ id: 1, date_joined: "2026-01-01T00:00:00Z" }];
  const store = memory({ users: rows });
  const run = createJanitor({ store, userTable: "users" }).run("remove_stale_unverified_accounts", {
    now: NOW,
  });
  await assert.rejects(run, { code: "invalid_record", message: /has no `email_verified`/ });
  assert.deepEqual(store.rows("users"), rows);
});

test("the user collection has to be named", async () => {
  const run = createJanitor({ store: memory({ users: [] }) }).run("remove_stale_unverified_accounts", {
    now: NOW,
  });
  await assert.rejects(run, { code: "invalid_setting", message: /userTable/ });
});
