/** What the commands have in common, as the argument parser knows them. */

import { type Command, Option } from "commander";
import { refuse } from "./wrong-use.ts";

/** What every command has in common. */
export function configured(command: Command, version: string): Command {
  return command
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .configureHelp({ subcommandTerm: (subcommand) => subcommand.name() })
    .configureOutput({ writeErr: () => {} })
    .exitOverride((error) => refuse(error, command));
}

/** A switch, and its contrary against the configuration. */
export function addYesOrNo(command: Command, name: string, description: string): void {
  command.option(`--${name}`, description);
  command.addOption(
    new Option(`--no-${name}`, `the contrary of --${name}, against the configuration`).hideHelp(),
  );
}

/** Gathers the values of a flag that may be given again. */
export function appended(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** Where the configuration is. */
export function places(contraries: string): string {
  return `Configuration is read from --config FILE, or from the first of idp-janitor.config.mjs, .ts and .json in the
working directory; folders above it are not searched. Flags go before it; ${contraries}
take back what it says. Relative paths start at the working directory, those in the configuration too.`;
}

/** What the process ends with. */
export const STATUSES = `Exit status: 0 done, 1 failed, 2 wrong use, 75 ended by a bound or a signal with work left, or another run of the
job holds the database.`;
