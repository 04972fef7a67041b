/** A Worker that brings the wasm itself. */

import wasm from "idp-janitor/core.wasm";
import { init, listJobs } from "idp-janitor/slim";

init(wasm);

export default {
  fetch: (): Response =>
    Response.json({ jobs: listJobs().length, module: wasm instanceof WebAssembly.Module }),
};
