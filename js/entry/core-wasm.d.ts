/**
 * The wasm core, `idp-janitor/core.wasm`, as wrangler and workerd import it: compiled. What another bundler makes of it, an
 * address or bytes, is said by how it is configured.
 */
declare const wasm: WebAssembly.Module;
export default wasm;
