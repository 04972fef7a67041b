// The types of the installed package, as projects of several kinds see them.

import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { modulesOf, portableModulesOf, specifierOf } from "./exports.ts";
import { type Project, ROOT } from "./packed.ts";

/** A kind of project. */
export interface View {
  readonly name: string;
  readonly entries: (project: Project) => string[];
  /** Its options of the compiler, beside those that are strict. */
  readonly options: readonly string[];
}

const BUNDLER = ["--module", "esnext", "--moduleResolution", "bundler"];
/** The options of a project for Node. */
export const NODE = ["--module", "nodenext", "--types", "node"];
/** The options of a project for Workers. */
export const WORKERS = [...BUNDLER, "--lib", "es2023", "--types", "@cloudflare/workers-types"];
const STRICT = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess"];

/** The kinds that there are: what the templates of each runtime's own tools begin with. */
export const VIEWS: readonly View[] = [
  { name: "Node", entries: modulesOf, options: [...NODE, "--lib", "es2023,dom"] },
  { name: "Node without the names of browsers", entries: modulesOf, options: [...NODE, "--lib", "es2023"] },
  {
    name: "a browser",
    entries: portableModulesOf,
    options: [...BUNDLER, "--customConditions", "browser", "--lib", "es2023,dom", "--types", ""],
  },
  // The templates of wrangler name no condition for the compiler, so that it sees the types of the entry for Node.
  { name: "a Worker", entries: portableModulesOf, options: WORKERS },
  {
    name: "a Worker, by its condition",
    entries: portableModulesOf,
    options: [...WORKERS, "--customConditions", "workerd"],
  },
];

/** Installs the types of the runtimes, as such a project has them. Those of no driver come with them. */
export async function addRuntimeTypes(project: Project): Promise<void> {
  for (const name of ["@types/node", "@cloudflare/workers-types"]) {
    const place = project.at(`node_modules/${name}`);
    await mkdir(dirname(place), { recursive: true });
    await symlink(`${ROOT}node_modules/${name}`, place);
  }
}

/** Checks every declaration that the exports lead to, and throws with what the compiler says. */
export async function checkTypes(project: Project, { entries, options }: View): Promise<void> {
  const imports = entries(project).map((entry, at) => `export * as m${at} from "${specifierOf(entry)}";`);
  await writeFile(project.at("every-export.ts"), imports.join("\n"));
  await compile(project, ["--skipLibCheck", "false", ...options, "every-export.ts"]);
}

/** Checks programs of a project, which are written for the runtime that the options are of. */
export async function checkPrograms(
  project: Project,
  options: readonly string[],
  files: readonly string[],
): Promise<void> {
  await compile(project, [...options, "--allowImportingTsExtensions", ...files]);
}

async function compile(project: Project, args: readonly string[]): Promise<void> {
  await project.run(`${ROOT}node_modules/.bin/tsc`, [...STRICT, "--target", "es2022", ...args]);
}
