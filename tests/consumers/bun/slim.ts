/** Where the wasm comes from is the caller's matter, with this entry. */

import { readFile } from "node:fs/promises";
import { init, listJobs } from "idp-janitor/slim";

init(await readFile(new URL(import.meta.resolve("idp-janitor/core.wasm"))));
console.log(`${listJobs().length} jobs`);
