import type { Command } from "commander";
import { addYesOrNo, appended, configured, places } from "../command.ts";
import { REFRESH_KEYS } from "./description.ts";

/** `refresh_oidc_clients_jwks` as the argument parser knows it. */
export function addRefreshKeys(program: Command, version: string): Command {
  const command = configured(program.command(REFRESH_KEYS.name), version)
    .alias(REFRESH_KEYS.name.replaceAll("_", "-"))
    .description(REFRESH_KEYS.summary)
    .usage("--client KEY=URL --cache CACHE [options]");
  addPlaces(command)
    .option("--timeout-seconds <n>", "how long one client may take, retries included (default: 30)")
    .option("--only-stale", "leave out clients whose keys are fresh still");
  addYesOrNo(command, "json", "print one JSON object");
  addYesOrNo(command, "quiet", "print warnings and errors only; --json is printed all the same");
  return command.addHelpText("after", `\n${CACHES}\n\n${WHERE}\n\n${FAILURES}\n\n${REFRESH_STATUSES}`);
}

/** `keys` as the argument parser knows it. */
export function addKeys(program: Command, version: string): Command {
  const command = configured(program.command("keys"), version)
    .description("show the signing keys that are cached, and how old they are")
    .usage("--client KEY=URL --cache CACHE [options]");
  addYesOrNo(addPlaces(command), "json", "print one JSON object");
  return command.addHelpText("after", `\n${CACHES}\n\n${WHERE}\n\n${KEYS_STATUSES}`);
}

function addPlaces(command: Command): Command {
  return command
    .option("--client <key=url>", "a client and the address of its key set; may be given again", appended)
    .option("--issuer <key=url>", "a client and its issuer, which tells where its key set is", appended)
    .option("--cache <cache>", "where the keys are kept: sqlite:PATH, redis://HOST or django-db:TABLE")
    .option("--cache-layout <layout>", "plain, or django for a Django process to read (default: plain)")
    .option("--cache-prefix <text>", "Django's KEY_PREFIX (default: empty)")
    .option("--cache-version <n>", "Django's VERSION (default: 1)")
    .option("--database <url>", "the database of django-db:TABLE, sqlite:PATH (default: $DATABASE_URL)")
    .option("--max-stale-seconds <n>", "how long unconfirmed keys are used (default: 604800)")
    .option("--config <file>", "configuration file, .mjs, .ts or .json");
}

const CACHES = `Caches: sqlite:PATH is a file of its own or any database, where the table idp_janitor_keys is made; redis://HOST
and rediss://HOST need the npm package @redis/client; django-db:TABLE is the table of Django's database cache in --database,
and redis:// with --cache-layout django that of Django's Redis cache: in both, HIdP finds the keys.`;

const WHERE = places("--no-json and --no-quiet");

const FAILURES = `A client that fails keeps the keys that it had. They are used until --max-stale-seconds after the provider last
confirmed them; then its tokens are refused.`;

const REFRESH_STATUSES = `Exit status: 0 every client was refreshed, 1 one failed, the cache did, or a signal ended it, 2 wrong use.`;

const KEYS_STATUSES = `Exit status: 0 every client has keys that may be used, 1 one has none, or the cache failed, 2 wrong use.`;
