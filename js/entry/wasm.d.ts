/** A `.wasm` as wrangler and workerd import it. */
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
