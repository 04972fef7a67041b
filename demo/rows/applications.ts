import { DAY, djangoText, HOUR, MINUTE } from "../instants.ts";
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
    const candidates = index < PERSONAL_OF_STALE_USERS && owners.stale.length > 0 ? owners.stale : owners.others;
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

/** Inserts authorization codes that nobody exchanged, and sign-ins on devices; most of both have expired. */
export function insertGrants(seeding: Seeding, users: readonly User[], applications: Applications): void {
  const { random, now } = seeding;
  for (const user of users) {
    if (random.chance(0.05)) {
      const created = random.chance(0.02) ? now - random.integer(0, 10 * MINUTE) : seeding.between(user.joined, now);
      seeding.insert("oauth2_provider_grant", {
        code: random.hex(30),
        expires: djangoText(created + 10 * MINUTE),
        redirect_uri: "https://service-1.example.org/callback",
        scope: "openid profile email",
        application_id: pickApplication(seeding, applications),
        user_id: user.id,
        created: djangoText(created),
        updated: djangoText(created),
        code_challenge: random.hex(43),
        code_challenge_method: "S256",
        nonce: random.hex(16),
        claims: "{}",
        resource: "[]",
      });
    }
    if (random.chance(0.01)) {
      const created = random.chance(0.1) ? now - random.integer(0, HOUR) : seeding.between(user.joined, now);
      const status = random.pick(["authorized", "authorization-pending", "denied"]);
      seeding.insert("oauth2_provider_devicegrant", {
        device_code: random.hex(40),
        user_code: random.hex(8).toUpperCase(),
        interval: 5,
        expires: djangoText(created + HOUR),
        status,
        client_id: random.hex(40),
        last_checked: djangoText(created),
        user_id: status === "authorization-pending" ? null : user.id,
        scope: "openid",
      });
    }
  }
}
