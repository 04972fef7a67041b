/** Browsers: the wasm is fetched from beside this module. */

import { load } from "../core.ts";

export * from "../index.ts";

/**
 * Loads the wasm; everything else needs it. Asked again it does nothing, and after a failure it tries again.
 *
 * @param source where the wasm is, if not beside this module
 */
export function init(source?: URL | Response | Promise<Response>): Promise<void> {
  return load(source ?? new URL("../core/core_bg.wasm", import.meta.url));
}
