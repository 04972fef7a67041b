// Entries of the installed package as a bundler for the web sees them.

import { build } from "esbuild";
import { specifierOf } from "./exports.ts";
import type { Project } from "./packed.ts";

/**
 * Bundles one entry with all that it brings, minified, and gives the text of the module. Nothing is taken to be there: what
 * cannot be found in the project, built-in modules of Node among it, is an error. The wasm is left out.
 *
 * @param condition of `exports`, such as `browser`
 */
export async function bundleOf(project: Project, entry: string, condition: string): Promise<string> {
  const { metafile, outputFiles, warnings } = await build({
    stdin: { contents: `export * from "${specifierOf(entry)}";`, resolveDir: project.folder },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    conditions: [condition],
    external: ["*.wasm"],
    logLevel: "silent",
  });
  if (warnings.length > 0) throw new Error(warnings.map(({ text }) => text).join("\n"));
  // What is imported on trial, in a `try`, is left as it is, and no error.
  const left = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  const strange = left.filter((path) => !path.endsWith("/core_bg.wasm"));
  if (strange.length > 0) throw new Error(`it imports ${strange.join(", ")}`);
  return outputFiles.map(({ text }) => text).join("");
}
