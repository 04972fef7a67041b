#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { CommanderError } from "commander";
import { type JobDescription, listJobs } from "../entry/node.ts";
import { listCommand, planCommand, runCommand } from "./commands.ts";
import { doctorCommand } from "./doctor.ts";
import { asJanitorError, EXIT_FAILED, exitStatusOf } from "./exit.ts";
import { inWordsOfFlags } from "./flag-names.ts";
import { keysCommand, refreshCommand } from "./keys/commands.ts";
import { type KeyFlags, type KeyOptions, readKeyOptions } from "./keys/options.ts";
import { type Flags, type Options, readOptions } from "./options.ts";
import { Output, watchOutputStreams } from "./output.ts";
import { createProgram } from "./program.ts";

/** Runs the command line and tells the status to exit with. */
async function main(argv: readonly string[]): Promise<number> {
  // What goes wrong before the flags are parsed is told in the form that they ask for.
  const output = new Output(argv.lastIndexOf("--json") > argv.lastIndexOf("--no-json"));
  let status = 0;
  let typed: Flags = {};
  try {
    const jobs = listJobs();
    const read = async (flags: Flags, job?: JobDescription): Promise<Options> => {
      typed = flags;
      const options = await readOptions(flags, job, jobs);
      output.json = options.json;
      output.quiet = options.quiet;
      return options;
    };
    const readKeys = async (flags: KeyFlags): Promise<KeyOptions> => {
      const options = await readKeyOptions(flags, jobs);
      output.json = options.json;
      output.quiet = options.quiet;
      return options;
    };
    const program = createProgram(jobs, version(), {
      run: async (job, flags) => {
        status = await runCommand(job, await read(flags, job), output);
      },
      plan: async (job, flags) => {
        const options = await read(flags, job);
        // Whoever asks for a plan wants to see it; the configuration means the runs.
        output.quiet = false;
        status = await planCommand(job, options, output);
      },
      doctor: async (flags) => {
        const options = await read(flags);
        output.quiet = false;
        status = await doctorCommand(options, output);
      },
      list: async () => {
        status = listCommand(jobs, output);
      },
      refreshKeys: async (flags) => {
        status = await refreshCommand(await readKeys(flags), output);
      },
      keys: async (flags) => {
        const options = await readKeys(flags);
        output.quiet = false;
        status = await keysCommand(options, output);
      },
    });
    await program.parseAsync(argv, { from: "user" });
    return status;
  } catch (thrown) {
    // Help and version have been printed.
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return status;
    const error = inWordsOfFlags(asJanitorError(thrown), typed);
    output.error(error);
    return exitStatusOf(error);
  }
}

function version(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

watchOutputStreams(() => {
  process.exitCode = EXIT_FAILED;
});
// The status is only set, so that what was written reaches a pipe before the process ends.
const status = await main(process.argv.slice(2));
process.exitCode = Math.max(status, Number(process.exitCode ?? 0));
