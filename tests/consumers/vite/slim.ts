/** A page that brings the wasm itself. */

import wasm from "idp-janitor/core.wasm?url";
import { init, listJobs } from "idp-janitor/slim";

init(await WebAssembly.compileStreaming(fetch(wasm)));

const shown = document.querySelector("pre");
if (shown) shown.textContent = JSON.stringify({ jobs: listJobs().length });
