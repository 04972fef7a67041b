import { DAY, djangoText, HOUR, type Instant } from "../instants.ts";
import type { Seeding } from "../seeding.ts";

/** The project's own user table. */
export const USER_TABLE = "people_user";

/** What the rest of the seeding needs to know of a user. */
export interface User {
  readonly id: string;
  readonly email: string;
  readonly joined: Instant;
  readonly verified: boolean;
  /** Never verified and joined more than 90 days ago. */
  readonly stale: boolean;
}

const THREE_YEARS = 3 * 365 * DAY;
const STAFF = 5;
const FIRST_NAMES = ["Ada", "Bram", "Chidi", "Dalia", "Eun", "Farid", "Greta", "Hana", "Imre", "Jo", "Kavya"];
const LAST_NAMES = ["Jansen", "Okafor", "Lindqvist", "Moreau", "Nakamura", "Petrov", "Silva", "de Wit"];

/** Inserts users in the order in which they joined, over the last three years; a quarter of them stale. */
export function insertUsers(seeding: Seeding, count: number): User[] {
  const { random, now } = seeding;
  const step = THREE_YEARS / count;
  return Array.from({ length: count }, (_, index) => {
    const joined = Math.floor(now - THREE_YEARS + (index + random.fraction()) * step);
    const old = joined < now - 90 * DAY;
    const verified = !random.chance(old ? 0.272 : 0.4) || index < STAFF;
    const user: User = {
      id: random.uuid7(joined / 1000),
      email: `person${index + 1}@example.org`,
      joined,
      verified,
      stale: old && !verified,
    };
    insertUser(seeding, user, index);
    return user;
  });
}

function insertUser(seeding: Seeding, user: User, index: number): void {
  const { random, now } = seeding;
  const { joined, verified } = user;
  const verifiedAt = Math.min(joined + random.integer(0, 2 * HOUR), now);
  const lastLogin = verified ? seeding.between(verifiedAt, now + 1) : null;
  seeding.insert(USER_TABLE, {
    id: user.id,
    password: `pbkdf2_sha256$1000000$${random.hex(22)}$${random.hex(43)}=`,
    last_login: lastLogin === null ? null : djangoText(lastLogin),
    is_superuser: index === 0 ? 1 : 0,
    is_staff: index < STAFF ? 1 : 0,
    is_active: random.chance(0.02) ? 0 : 1,
    first_name: random.pick(FIRST_NAMES),
    last_name: random.pick(LAST_NAMES),
    date_joined: djangoText(joined),
    email: user.email,
    email_verified: verified ? djangoText(verifiedAt) : null,
    last_modified: djangoText(lastLogin ?? joined),
    agreed_to_tos: djangoText(joined),
  });
}
