import { DAY, djangoText } from "../instants.ts";
import type { Seeding } from "../seeding.ts";

const LIFETIME = 14 * DAY;

/** Inserts sessions of the last five weeks, of which those older than two have expired. */
export function insertSessions(seeding: Seeding, count: number): void {
  const { random, now } = seeding;
  for (let index = 0; index < count; index += 1) {
    seeding.insert("django_session", {
      session_key: random.hex(32),
      session_data: random.hex(180),
      expire_date: djangoText(seeding.between(now - 35 * DAY, now) + LIFETIME),
    });
  }
}
