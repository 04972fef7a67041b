/** Node: the wasm is read from the package's own folder while it is imported. */

import { readFileSync } from "node:fs";
import { loadSync } from "../core.ts";

loadSync(readFileSync(new URL("../core/core_bg.wasm", import.meta.url)));

export type { CliConfig } from "../cli/config.ts";
export * from "../index.ts";

/** There for code that also runs in browsers: here the wasm is loaded already. */
export function init(): Promise<void> {
  return Promise.resolve();
}
