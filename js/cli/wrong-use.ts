import type { Command, CommanderError } from "commander";
import { JanitorError } from "../errors.ts";
import { oneLine } from "../message.ts";
import { suggestion } from "./suggest.ts";

/**
 * Ends the parsing of a command line: with the error of the package where the parser refuses something, with the parser's
 * own, of exit code 0, where it has printed help or the version.
 *
 * @param command the command whose part of the line it was
 */
export function refuse(error: CommanderError, command: Command): never {
  if (error.exitCode === 0) throw error;
  // Such as `error: unknown option '--dayz=5'`, with a second line where the parser has a suggestion.
  const message = oneLine(error.message.split("\n")[0] ?? "").replace(/^error: /, "");
  const word = /'([^']*)'/.exec(message)?.[1] ?? "";
  switch (error.code) {
    case "commander.help":
      throw new JanitorError("unknown_job", "no job is given; `idp-janitor --help` names them");
    case "commander.unknownCommand": {
      const names = command.commands.flatMap((known) => [known.name(), ...known.aliases()]);
      throw new JanitorError("unknown_job", `unknown job \`${word}\`${suggestion(word, names)}`);
    }
    case "commander.unknownOption":
      throw new JanitorError("unknown_setting", optionMessage(word.replace(/=.*$/s, ""), command));
    default:
      throw new JanitorError("invalid_setting", message.replace(/'([^']*)'/g, "`$1`"));
  }
}

function optionMessage(flag: string, command: Command): string {
  if (command.commands.length > 0)
    return `unknown option \`${flag}\` (the options of a job go after its name)`;
  const flags = command.options.filter((option) => !option.hidden).flatMap((option) => option.long ?? []);
  if (flags.includes(flag)) return `\`${flag}\` takes no value`;
  return `unknown option \`${flag}\` of \`${nameOf(command)}\`${suggestion(flag, flags)}`;
}

/** As it is typed, `plan` before the job included. */
function nameOf(command: Command): string {
  const { parent } = command;
  return parent?.parent ? `${parent.name()} ${command.name()}` : command.name();
}
