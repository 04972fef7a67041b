declare global {
  interface Window {
    janitor: typeof import("../../pkg/entry/browser.js") &
      typeof import("../../pkg/adapters/memory.js") &
      typeof import("../../pkg/caches/memory.js");
  }
}

export {};
