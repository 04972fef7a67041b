// What a project says of wasm that its bundler takes care of: as Vite imports it, the same as in `vite/client`. As wrangler
// imports it, the package has types of its own.

declare module "*.wasm?url" {
  const address: string;
  export default address;
}
