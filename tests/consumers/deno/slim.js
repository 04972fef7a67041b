/** As a module of the program the wasm needs no permission. */

import source wasm from "idp-janitor/core.wasm";
import { init, listJobs } from "idp-janitor/slim";

init(wasm);
console.log(`${listJobs().length} jobs`);
