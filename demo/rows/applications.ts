import { DAY, djangoText } from "../instants.ts";
import type { Seeding } from "../seeding.ts";
import type { User } from "./users.ts";

/** The ids of the applications: those of the organisation, which most tokens are for, and those of users. */
export interface Applications {
  readonly official: readonly number[];
  readonly personal: readonly number[];
}

const OFFICIAL = 24;
const PERSONAL = 16;
const PERSONAL_OF_STALE_USERS = 4;

/** Inserts a few dozen applications. Some belong to users, and a few of those users never verified their address. */
export function insertApplications(seeding: Seeding, users: readonly User[]): Applications {
  const owners = {
    stale: users.filter((user) => user.stale),
    others: users.filter((user) => !user.stale),
  };
  const official = Array.from({ length: OFFICIAL }, (_, index) =>
    insertApplication(seeding, `Service ${index + 1}`, null),
  );
  const personal = Array.from({ length: PERSONAL }, (_, index) => {
    const candidates =
      index < PERSONAL_OF_STALE_USERS && owners.stale.length > 0 ? owners.stale : owners.others;
    return insertApplication(seeding, `Experiment ${index + 1}`, seeding.random.pick(candidates));
  });
  return { official, personal };
}

function insertApplication(seeding: Seeding, name: string, owner: User | null): number {
  const { random, now } = seeding;
  const host = name.toLowerCase().replace(" ", "-");
  const created = djangoText(owner?.joined ?? now - 3 * 365 * DAY);
  return seeding.insert("oauth2_provider_application", {
    client_id: random.hex(40),
    client_secret: `pbkdf2_sha256$1000000$${random.hex(22)}$${random.hex(43)}=`,
    redirect_uris: `https://${host}.example.org/callback`,
    post_logout_redirect_uris: "",
    allowed_origins: "",
    client_type: "confidential",
    authorization_grant_type: "authorization-code",
    name,
    user_id: owner?.id ?? null,
    skip_authorization: owner === null ? 1 : 0,
    created,
    updated: created,
    algorithm: "RS256",
    hash_client_secret: 1,
    registration_source: "manual",
    cimd_expires_at: null,
  });
}

/** The application that something is for: seldom one of a user's own. */
export function pickApplication(seeding: Seeding, applications: Applications): number {
  const { random } = seeding;
  return random.pick(random.chance(0.01) ? applications.personal : applications.official);
}
