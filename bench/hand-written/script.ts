import { readFileSync } from "node:fs";
import { DAY, djangoText, type Instant, MINUTE } from "../../demo/instants.ts";

/**
 * A job's script for a kind of database, with the instants that it names filled in: a script of several statements takes
 * no parameters, and these are instants of our own.
 *
 * @param zone what follows an instant's date and time
 */
export function readScript(engine: string, job: string, now: string, zone = ""): string {
  const instants = instantsOf(Date.parse(now) * 1000);
  return readFileSync(new URL(`${engine}/${job}.sql`, import.meta.url), "utf8").replace(
    /:([a-z]\w*)/g,
    (_, name: string) => {
      const value = instants[name];
      if (value === undefined) throw new Error(`${job}.sql names an instant that there is not: ${name}`);
      return `'${djangoText(value)}${zone}'`;
    },
  );
}

/** HIdP's settings: accounts and refresh tokens live for 90 days, revoked refresh tokens for 10 minutes. */
function instantsOf(now: Instant): Readonly<Record<string, Instant>> {
  return {
    now,
    cutoff: now - 90 * DAY,
    revoked_until: now - 10 * MINUTE,
    expired_until: now - 90 * DAY,
  };
}
