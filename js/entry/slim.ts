/** Any host: whoever calls brings the wasm, which is `idp-janitor/core.wasm`. */

import { loadSync } from "../core.ts";

export * from "../index.ts";

/**
 * Loads the wasm; everything else needs it. Asked again it does nothing.
 *
 * @param wasm the compiled module, or its bytes where the host compiles at run time
 * @throws WebAssembly.CompileError if it is no wasm, or the host does not compile bytes
 */
export function init(wasm: WebAssembly.Module | BufferSource): void {
  loadSync(wasm);
}
