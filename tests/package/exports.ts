// What the package offers to import, by its own account.

import { readFileSync } from "node:fs";
import type { Project } from "./packed.ts";

/** Entries that are for Node alone, or for what is like it. */
const NODE_ONLY: ReadonlySet<string> = new Set(["./adapters/node-sqlite"]);

/** Entries that are no modules of JavaScript. */
const OTHER: ReadonlySet<string> = new Set(["./core.wasm", "./package.json"]);

/** The modules that an installed package exports, as keys of `exports`: `.`, `./slim`, … */
export function modulesOf(project: Project): string[] {
  const manifest: { exports: object } = JSON.parse(
    readFileSync(project.at("node_modules/idp-janitor/package.json"), "utf8"),
  );
  return Object.keys(manifest.exports).filter((entry) => !OTHER.has(entry));
}

/** Those that Workers and browsers can load. */
export function portableModulesOf(project: Project): string[] {
  return modulesOf(project).filter((entry) => !NODE_ONLY.has(entry));
}

/** What one writes to import an entry. */
export function specifierOf(entry: string): string {
  return `idp-janitor${entry.slice(1)}`;
}
