declare global {
  interface Window {
    janitor: typeof import("../../pkg/entry/browser.js") & typeof import("../../pkg/adapters/memory.js");
  }
}

export {};
