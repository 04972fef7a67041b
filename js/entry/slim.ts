/** Any host: whoever calls brings the wasm, which is `idp-janitor/core.wasm`. */

import { loadSync } from "../core.ts";

export * from "../index.ts";

/**
 * Loads the wasm; everything else needs it. Asked again it does nothing.
 *
 * @param wasm the compiled module, a `WebAssembly.Module`, or its bytes where the host compiles at run time: an
 * `ArrayBuffer` or a view of one. No more is asked by its type, since not every project knows these names.
 * @throws WebAssembly.CompileError if it is no wasm, or the host does not compile bytes
 */
export function init(wasm: object): void {
  loadSync(wasm);
}
