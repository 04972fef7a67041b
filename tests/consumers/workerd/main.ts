/** What somebody who uses the package in a Worker would write: nothing is loaded, the wasm is there. */

import { createJanitor, listJobs, parseKeySet, selectStale } from "idp-janitor";
import { memory } from "idp-janitor/adapters/memory";

const now = "2026-06-01T00:00:00Z";

const set = `{"keys":[{"kty":"EC","crv":"P-256","kid":"one","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
  "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}`;

// Here rather than in a request: it is usable as soon as the Worker starts.
const usable = parseKeySet(set).keys.filter((key) => key.usable).length;

export default {
  async fetch(): Promise<Response> {
    const rows = [
      { session_key: "old", expire_date: "2026-01-01T00:00:00Z" },
      { session_key: "new", expire_date: "2026-12-31T00:00:00Z" },
    ];
    const store = memory({ django_session: rows }, { ids: { django_session: "session_key" } });
    const { removed } = await createJanitor({ store }).run("clearsessions", { now });
    const stale = selectStale("clearsessions", rows, { now }).map(({ session_key }) => session_key);
    return Response.json({ jobs: listJobs().length, removed, stale, usable });
  },
};
