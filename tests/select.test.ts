import assert from "node:assert/strict";
import { test } from "node:test";
import { type JobName, selectStale } from "idp-janitor";

const NOW = "2026-06-01T00:00:00Z";
const now = { now: NOW };

test("selects the very rows, in their order", () => {
  const stale = {
    id: 2,
    email_verified: null,
    date_joined: new Date("2026-01-01T00:00:00Z"),
    photo: new Uint8Array(3),
  };
  const rows = [
    { id: 1, email_verified: null, date_joined: new Date("2026-05-01T00:00:00Z") },
    stale,
    { id: 3, email_verified: "2026-01-02 00:00:00", date_joined: "2026-01-01 00:00:00" },
  ];
  const selected = selectStale("remove_stale_unverified_accounts", rows, now);
  assert.equal(selected.length, 1);
  assert.equal(selected[0], stale);
});

test("takes the job's settings, and a microsecond decides", () => {
  const request = (created_at: string) => ({
    created_at,
    confirmed_by_current_email: false,
    confirmed_by_proposed_email: true,
  });
  const rows = [request("2026-05-29 23:59:59.999999"), request("2026-05-30 00:00:00")];
  const job = "remove_complete_and_stale_email_change_requests";
  assert.deepEqual(selectStale(job, rows, { ...now, days: 2 }), rows.slice(0, 1));
  assert.deepEqual(selectStale(job, rows, now), []);
  assert.deepEqual(selectStale(job, [], now), []);
});

test("for a job over several tables, the later steps know what the earlier take", () => {
  const refresh = [
    { id: 1, access_token_id: 1, revoked: "2026-01-01T00:00:00Z" },
    { id: 2, access_token_id: 2, revoked: null },
  ];
  const access = [
    { id: 1, expires: "2026-05-01T00:00:00Z", id_token_id: null },
    { id: 2, expires: "2026-05-01T00:00:00Z", id_token_id: null },
  ];
  const tables = {
    oauth2_provider_refreshtoken: refresh,
    oauth2_provider_accesstoken: access,
    oauth2_provider_idtoken: [],
    oauth2_provider_grant: [],
  };
  assert.deepEqual(selectStale("cleartokens", tables, now), {
    oauth2_provider_refreshtoken: refresh.slice(0, 1),
    oauth2_provider_accesstoken: access.slice(0, 1),
    oauth2_provider_idtoken: [],
    oauth2_provider_grant: [],
  });
});

test("refuses what cannot be judged", () => {
  const job = "clearsessions";
  const refusals: readonly [() => unknown, string, RegExp][] = [
    [() => selectStale(job, [{ expire_date: "soon" }], now), "invalid_record", /`soon`/],
    [() => selectStale(job, [{ expire_date: 1767225600 }], now), "invalid_record", /no instant/],
    [() => selectStale(job, [{ expire_date: new Date(Number.NaN) }], now), "invalid_record", /no instant/],
    [() => selectStale(job, [{ expire_date: undefined }], now), "invalid_record", /no `expire_date`/],
    [() => selectStale(job, [], { now: "today" }), "invalid_instant", /`today`/],
    [() => selectStale(job, [], { now: new Date(Number.NaN) }), "invalid_instant", /invalid Date/],
    [() => selectStale("cleartoken" as JobName, [], now), "unknown_job", /did you mean `cleartokens`/],
    [() => selectStale("cleartokens", [], now), "not_this_schema", /not given/],
    [
      () => selectStale("remove_stale_unverified_accounts", [], { ...now, dayz: 3 } as object),
      "unknown_setting",
      /did you mean `days`/,
    ],
    [
      () => selectStale("remove_stale_unverified_accounts", [], { ...now, days: 1.5 }),
      "invalid_setting",
      /not 1\.5/,
    ],
    [() => selectStale(job, [], { now: 5 } as object), "invalid_setting", /documented types/],
  ];
  for (const [select, code, message] of refusals)
    assert.throws(select, { name: "JanitorError", code, message });
});
