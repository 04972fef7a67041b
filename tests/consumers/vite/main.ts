/** What somebody who bundles the package for a page would write: the bundler finds the wasm. */

import { createJanitor, init, listJobs, parseKeySet, selectStale } from "idp-janitor";
import { memory } from "idp-janitor/adapters/memory";

const now = "2026-06-01T00:00:00Z";
const rows = [
  { session_key: "old", expire_date: "2026-01-01T00:00:00Z" },
  { session_key: "new", expire_date: "2026-12-31T00:00:00Z" },
];
const set = `{"keys":[{"kty":"EC","crv":"P-256","kid":"one","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
  "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}`;

await init();

const store = memory({ django_session: rows }, { ids: { django_session: "session_key" } });
const { removed } = await createJanitor({ store }).run("clearsessions", { now });
const stale = selectStale("clearsessions", rows, { now }).map(({ session_key }) => session_key);
const usable = parseKeySet(set).keys.filter((key) => key.usable).length;

const shown = document.querySelector("pre");
if (shown) shown.textContent = JSON.stringify({ jobs: listJobs().length, removed, stale, usable });
