/** Cloudflare Workers: the wasm is a module of the Worker, compiled when it is deployed. */

// What wrangler makes of it is a `WebAssembly.Module`.
import wasm from "../core/core_bg.wasm";
import { loadSync } from "../core.ts";
import { warmUp } from "../warm-up.ts";

loadSync(wasm);
warmUp();

export * from "../index.ts";

/** There for code that also runs in browsers: here the wasm is loaded already. */
export function init(): Promise<void> {
  return Promise.resolve();
}
