import { djangoText, HOUR, type Instant, MINUTE } from "../instants.ts";
import type { Seeding } from "../seeding.ts";
import { type Applications, pickApplication } from "./applications.ts";
import type { User } from "./users.ts";

const GRANT_LIFETIME = 10 * MINUTE;
const DEVICE_GRANT_LIFETIME = HOUR;

/** Inserts authorization codes that nobody exchanged, and sign-ins on devices; most of both have expired. */
export function insertGrants(seeding: Seeding, users: readonly User[], applications: Applications): void {
  for (const user of users) {
    if (seeding.random.chance(0.05)) insertGrant(seeding, user, pickApplication(seeding, applications));
    if (seeding.random.chance(0.01)) insertDeviceGrant(seeding, user);
  }
}

function insertGrant(seeding: Seeding, user: User, application: number): void {
  const { random } = seeding;
  const created = drawCreation(seeding, user, GRANT_LIFETIME);
  seeding.insert("oauth2_provider_grant", {
    code: random.hex(30),
    expires: djangoText(created + GRANT_LIFETIME),
    redirect_uri: "https://service-1.example.org/callback",
    scope: "openid profile email",
    application_id: application,
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

function insertDeviceGrant(seeding: Seeding, user: User): void {
  const { random } = seeding;
  const created = drawCreation(seeding, user, DEVICE_GRANT_LIFETIME);
  const status = random.pick(["authorized", "authorization-pending", "denied"]);
  seeding.insert("oauth2_provider_devicegrant", {
    device_code: random.hex(40),
    user_code: random.hex(8).toUpperCase(),
    interval: 5,
    expires: djangoText(created + DEVICE_GRANT_LIFETIME),
    status,
    client_id: random.hex(40),
    last_checked: djangoText(created),
    user_id: status === "authorization-pending" ? null : user.id,
    scope: "openid",
  });
}

/** One in twenty is still valid. */
function drawCreation(seeding: Seeding, user: User, lifetime: number): Instant {
  const { random, now } = seeding;
  const earliest = random.chance(0.05) ? Math.max(user.joined, now - lifetime) : user.joined;
  return seeding.between(earliest, now);
}
